import shutil

import numpy as np
import pandas as pd
import pytest
from driving import CHROMIUM, EXPECTED, FAILED, WAIT, serve

import sparring

QUIET = {"steps": 2, "quiet": True, "device": "cpu"}


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A folder of runs, which must not be changed: digits, a table, and a net that fills holes in digits."""
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
    """A copy of the runs for one test."""
    return shutil.copytree(trained, tmp_path / "runs")


@pytest.fixture(scope="module")
def studio(request, trained, tmp_path_factory):
    """One studio for all tests of a file, with its options; they may add runs."""
    runs = shutil.copytree(trained, tmp_path_factory.mktemp("studio") / "runs")
    served = serve(runs, *getattr(request.module, "OPTIONS", ()))
    yield served
    assert served.end() == (0, "")


@pytest.fixture(scope="module")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api", reason="the browser is driven by playwright")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium):
    """A function that opens a page as a new visitor. At the end it checks that the page had no errors and requested
    nothing from other machines.
    """
    contexts, problems = [], []

    def opened(url, **settings):
        context = chromium.new_context(reduced_motion="reduce", **settings)
        contexts.append(context)
        context.set_default_timeout(WAIT)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(f"page: {error}"))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("request", lambda r: None if r.url.startswith((url, "data:", "blob:")) else problems.append(r.url))
        page.goto(url)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [line for line in problems if line not in map(FAILED.format, EXPECTED)] == []


@pytest.fixture
def page(studio, visit):
    page = visit(studio.url, viewport={"width": 1280, "height": 900})
    page.wait_for_selector("button.card.selected")
    return page


@pytest.fixture
def unserved(tmp_path):
    """A function that opens a studio over a folder of runs, which is not served."""
    from sparring.studio.studio import Studio

    (tmp_path / "files").mkdir()
    opened = []

    def over(runs):
        opened.append(Studio([runs], "cpu", tmp_path / "files"))
        return opened[-1]

    yield over
    for studio in opened:
        studio.jobs.close()
