"""What the page does with runs of every kind: points, series, codes, styles, two ways; and with data that are sent."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from driving import BROWSER, WAIT, choose, download, enter, open_tab, pick, picture, said
from PIL import Image

import sparring

pytestmark = BROWSER

QUIET = {"steps": 2, "quiet": True, "device": "cpu", "batch": 8}


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Runs that the other tests do not have, and beside them a table and a picture to send."""
    home = tmp_path_factory.mktemp("kinds") / "runs"
    home.mkdir()
    random = np.random.default_rng(0)
    for side in "AB":
        for i in range(8):
            path = home.parent / "horses" / f"train{side}" / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(random.integers(0, 255, (16, 16, 3), dtype=np.uint8)).save(path)
    dates = pd.bdate_range("2020-01-01", periods=300, name="Date")
    close = 100 * np.exp(random.normal(0, 0.01, (300, 2)).cumsum(0))
    pd.DataFrame(close.round(2), dates, ["A", "B"]).to_csv(home.parent / "prices.csv")
    rows = pd.DataFrame({"age": random.integers(18, 80, 400), "city": random.choice(["Rome", "Oslo"], 400)})
    rows.to_csv(home.parent / "people.csv", index=False)
    sparring.train("r3gan_mlp", "ring", out=home / "ring", G=8, D=8, **QUIET)
    sparring.train("series", home.parent / "prices.csv", out=home / "prices", width=8, window=30, **QUIET)
    sparring.train("infogan", "digits", out=home / "codes", **QUIET)
    sparring.train("stylegan2", "digits", out=home / "styles", base=64, most=8, **QUIET)
    sparring.train("cyclegan", home.parent / "horses", out=home / "horses", G=4, D=4, depth=1, **QUIET)
    return home


def test_points_are_plotted(page, studio):
    choose(page, "ring", "Sample")
    enter(page.locator("#many input[type=number]"), "100")
    page.click("#sample")
    picture(page, "#sample-plot")
    name, content = download(page, "#samples-csv")
    assert name == "ring-100.csv"
    wanted = sparring.load(studio.runs / "ring").sample(100, seed=0).items
    np.testing.assert_allclose(pd.read_csv(io.BytesIO(content)).to_numpy()[:, : wanted.shape[1]], wanted, atol=1e-5)
    assert page.is_hidden("#keep-A")


def test_series_are_as_long_as_is_asked(page):
    choose(page, "prices", "Sample")
    enter(page.locator("#many input[type=number]"), "3")
    enter(page.locator("#length input"), "45")
    page.click("#sample")
    picture(page, "#sample-plot")
    _, content = download(page, "#samples-csv")
    assert len(pd.read_csv(io.BytesIO(content))) == 3 * 45
    enter(page.locator("#length input"), "0")
    page.click("#sample")
    said(page, "Steps of a series is 0")


@pytest.mark.parametrize(("run", "knobs"), [("codes", ["category", "continuous 1", "continuous 2"]), ("styles", [])])
def test_sliders_are_what_a_model_has(page, run, knobs):
    """Codes by their names; of styles the directions that are found."""
    choose(page, run, "Edit")
    first = picture(page, "#edited")
    page.wait_for_selector("#slider-3 input[type=range]")
    labels = page.locator("[id^=slider-] label span").all_inner_texts()
    assert [label for label in labels if label in knobs] == knobs
    slider = page.locator("#slider-1 input[type=range]")
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    picture(page, "#edited", unlike=first)


def test_styles_are_truncated(page, studio):
    choose(page, "styles", "Sample")
    enter(page.locator("#many input[type=number]"), "4")
    enter(page.locator("#truncation input[type=number]"), "0.5")
    page.click("#sample")
    page.wait_for_selector("#samples-npz")
    _, content = download(page, "#samples-npz")
    wanted = sparring.load(studio.runs / "styles").sample(4, seed=0, truncation=0.5).items
    np.testing.assert_array_equal(np.load(io.BytesIO(content))["images"].reshape(wanted.shape), wanted)
    page.locator("#gallery button:has(img)").first.click()
    page.wait_for_timeout(300)
    page.click("#keep-A")
    said(page, "truncated")


def test_a_picture_is_translated_both_ways(page, studio):
    given = studio.runs.parent / "given.png"
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (24, 20, 3), dtype=np.uint8)).save(given)
    model = sparring.load(studio.runs / "horses")
    choose(page, "horses", "Your picture")
    page.set_input_files("#upload input[type=file]", given)
    page.wait_for_selector("#upload img")
    for reverse in (False, True):
        page.set_checked("#reverse input", reverse)
        page.click("#picture-go")
        page.wait_for_selector("#picture-said:has-text('20 x 24 pixels became 20 x 24')")
        page.wait_for_selector("#before-after .progress-text", state="hidden")
        page.wait_for_timeout(500)
        _, content = download(page, "#picture-png")
        with Image.open(given) as before, Image.open(io.BytesIO(content)) as after:
            np.testing.assert_array_equal(np.asarray(after), model.apply(np.asarray(before), reverse=reverse))


def test_a_table_that_is_sent_is_trained_on_and_judged(page, studio, trained):
    open_tab(page, "Train")
    with page.expect_file_chooser() as chooser:
        page.click("#upload-data")
    chooser.value.set_files(trained.parent / "people.csv")
    page.wait_for_function("() => document.querySelector('#data input').value.endsWith('people.csv')")
    page.click("#look")
    page.wait_for_selector("#about-data :text('400 rows of a table')")
    enter(page.locator("#steps").get_by_role("textbox"), "20")
    enter(page.locator("#time").get_by_role("textbox"), "")
    for name in ("one", "two"):
        enter(page.locator("#name").get_by_role("textbox"), name)
        page.click("#start")
        page.wait_for_selector(f"#train-state:has-text('{name}') .state.done")
    assert sparring.load(studio.runs / "one").sample(3).items.columns.tolist() == ["age", "city"]
    open_tab(page, "Compare")
    pick(page, "#runs", "one", "two")
    page.set_default_timeout(3 * WAIT)
    page.click("#judge")
    page.wait_for_selector("#compare-said:has-text('All of them are judged')")
    page.wait_for_selector("#compared figure:nth-of-type(2) img")
    for name in ("one", "two"):
        numbers = json.loads((studio.runs / name / "evaluation.json").read_text())["numbers"]
        shown = page.inner_text("#scores")
        assert [number for number in numbers if number not in shown] == []
