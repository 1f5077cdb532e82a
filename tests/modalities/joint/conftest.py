"""A model of items of four parts."""

import pytest
from things import write_stems

import sparring

TINY = {"steps": 2, "quiet": True, "device": "cpu", "width": 4, "inner": 16, "codes": 8, "z": 8, "batch": 8}


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    place = tmp_path_factory.mktemp("joint")
    data = write_stems(place / "things", 30, parts=("png", "json", "txt", "wav"))
    sparring.train("joint", data, out=place / "run", **TINY)
    return place / "run"


@pytest.fixture(scope="session")
def model(run):
    return sparring.load(run)
