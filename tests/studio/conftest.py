import shutil

import numpy as np
import pandas as pd
import pytest

import sparring

QUIET = {"steps": 2, "quiet": True, "device": "cpu"}


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A folder of runs, not to be changed: digits, a table, and a net that fills holes in digits."""
    home = tmp_path_factory.mktemp("trained") / "runs"
    home.mkdir()
    random = np.random.default_rng(0)
    n = 400
    people = {
        "age": random.integers(18, 80, n),
        "city": random.choice(["Rome", "Oslo", "Lima"], n),
        "income": random.lognormal(10, 0.5, n).round(2),
    }
    table = home.parent / "people.csv"
    pd.DataFrame(people).to_csv(table, index=False)
    sparring.train("dcgan", "digits", out=home / "digits", width=8, **QUIET)
    sparring.train("acgan", "digits", out=home / "classes", width=8, **QUIET)
    sparring.train("table", table, out=home / "people", **QUIET)
    sparring.train("inpaint", "digits", out=home / "filled", width=4, D=4, **QUIET)
    return home


@pytest.fixture
def runs(trained, tmp_path):
    """A folder of the same runs for a test alone."""
    return shutil.copytree(trained, tmp_path / "runs")
