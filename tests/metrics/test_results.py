from math import nan

import pytest

from sparring.metrics.results import Number


@pytest.mark.parametrize(
    ("value", "error", "share", "shown"),
    [
        (0.01234, nan, False, "0.0123"),
        (-2.345, 0.0412, False, "-2.35 ± 0.041"),
        (0.0000071, 0.00008, False, "7e-06 ± 8e-05"),
        (1234.5, nan, False, "1,234"),
        (10.0, nan, False, "10"),
        (0.0, nan, False, "0"),
        (0.957, nan, True, "95.7%"),
        (nan, nan, True, "-"),
    ],
)
def test_shown(value, error, share, shown):
    """Three digits, two of an error, however small or large."""
    assert str(Number("fid", value, "low", error, share)) == shown
