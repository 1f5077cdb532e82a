import pytest
from toy_sounds import write_sounds


@pytest.fixture
def sounds(tmp_path):
    """A folder of 24 sounds in two classes."""
    return write_sounds(tmp_path / "sounds")
