"""The page with models of every kind: points, series, codes, styles, two directions, films that are continued, items of
several parts, and a kind of the user's own.
"""

import io
import json
import random
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from driving import BROWSER, WAIT, address_of, choose, content, error, image, listed, open_tab, pick, text
from PIL import Image
from things import write_stems

import sparring

pytestmark = BROWSER

OPTIONS = ("--trust-code",)  # of the studio: one kind is the user's own
QUIET = {"steps": 2, "quiet": True, "device": "cpu", "batch": 8}
DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Runs that the other tests do not have, and next to them a table to upload."""
    home = tmp_path_factory.mktemp("kinds") / "runs"
    home.mkdir()
    noise = np.random.default_rng(0)
    for side in "AB":
        for i in range(8):
            path = home.parent / "horses" / f"train{side}" / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(noise.integers(0, 255, (16, 16, 3), dtype=np.uint8)).save(path)
    dates = pd.bdate_range("2020-01-01", periods=300, name="Date")
    close = 100 * np.exp(noise.normal(0, 0.01, (300, 2)).cumsum(0))
    pd.DataFrame(close.round(2), dates, ["A", "B"]).to_csv(home.parent / "prices.csv")
    rows = pd.DataFrame({"age": noise.integers(18, 80, 400), "city": noise.choice(["Rome", "Oslo"], 400)})
    rows.to_csv(home.parent / "people.csv", index=False)
    example = re.search(r"```python\n(.*?)```", (DOCS / "your-own-kind.md").read_text(), re.DOTALL)[1]
    (home.parent / "strips.py").write_text(example)
    strips = ["".join(random.Random(i).choices("rgbk", k=6)) for i in range(80)]
    (home.parent / "fabric.strips").write_text("\n".join(strips))
    sparring.train("r3gan_mlp", "ring", out=home / "ring", G=8, D=8, **QUIET)
    sparring.train("series", home.parent / "prices.csv", out=home / "prices", width=8, window=30, **QUIET)
    sparring.train("infogan", "digits", out=home / "codes", **QUIET)
    sparring.train("stylegan2", "digits", out=home / "styles", base=64, most=8, **QUIET)
    sparring.train("cyclegan", home.parent / "horses", out=home / "horses", G=4, D=4, depth=1, **QUIET)
    walks = home.parent / "walks"
    walks.mkdir()
    for i in range(24):
        clip = noise.integers(0, 255, (7, 16, 16, 3), dtype=np.uint8)
        first, *others = map(Image.fromarray, clip)
        first.save(walks / f"{i}.webp", save_all=True, append_images=others, duration=100, lossless=True)
    sparring.train("predict", walks, out=home / "walks", given=3, made=4, width=4, D=4, z=2, **QUIET)
    things = write_stems(home.parent / "things", 24, parts=("png", "json", "txt", "wav"))
    sparring.train("joint", things, out=home / "things", width=4, inner=16, codes=8, z=8, **QUIET)
    sparring.train(str(home.parent / "strips.py"), home.parent / "fabric.strips", out=home / "fabric", **QUIET)
    return home


def test_points_are_plotted(page, studio):
    choose(page, "ring", "Sample")
    page.locator("#count input").fill("100")
    page.click("#sample")
    text(page, "#sample-status", "100 points of seed 0")
    image(page, "#preview")
    points = pd.read_csv(io.BytesIO(listed(page, "#sample-files", "ring-100.csv"))).to_numpy()
    expected = sparring.load(studio.runs / "ring").sample(100, seed=0).items
    np.testing.assert_allclose(points[:, : expected.shape[1]], expected, atol=1e-5)
    assert page.is_hidden("#keep-A")


def test_a_kind_of_the_users_own_is_sampled_and_edited(page, studio):
    choose(page, "fabric", "Sample")
    page.locator("#count input").fill("7")
    page.click("#sample")
    text(page, "#sample-status", "7 strips of seed 0")
    image(page, "#preview")
    lines = listed(page, "#sample-files", "fabric-7.strips").decode().split()
    letters = sparring.load(studio.runs / "fabric", trust=True).sample(7, seed=0).items
    assert lines == ["".join("rgbk"[i] for i in strip) for strip in letters]
    choose(page, "fabric", "Edit")
    image(page, "#edited")


def test_series_have_the_requested_length(page):
    choose(page, "prices", "Sample")
    page.locator("#count input").fill("3")
    page.locator("#ask-length input").fill("45")
    page.click("#sample")
    text(page, "#sample-status", "3 paths of seed 0 with length=45")
    image(page, "#preview")
    assert len(pd.read_csv(io.BytesIO(listed(page, "#sample-files", "prices-3.csv")))) == 3 * 45
    page.locator("#ask-length input").fill("0")
    page.click("#sample")
    error(page, "length=0 is out of range")


@pytest.mark.parametrize(("run", "names"), [("codes", ["category", "continuous 1", "continuous 2"]), ("styles", [])])
def test_sliders_are_those_of_the_model(page, run, names):
    """Codes have their names; styles have the directions that are found."""
    choose(page, run, "Edit")
    first = image(page, "#edited")
    page.wait_for_selector("#slider-3 input[type=range]")
    labels = page.locator("[id^=slider-] label span").all_inner_texts()
    assert [label for label in labels if label in names] == names
    page.locator("#slider-1 input[type=range]").focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    text(page, "#edited", "category +5.00" if names else "sefa 1 +0.25")
    assert content(page, image(page, "#edited", other_than=first))


def test_styles_are_truncated(page, studio):
    choose(page, "styles", "Sample")
    page.locator("#count input").fill("4")
    page.locator("#truncation input[type=number]").fill("0.5")
    page.click("#sample")
    text(page, "#sample-status", "4 images of seed 0")
    arrays = np.load(io.BytesIO(listed(page, "#sample-files", "styles-4.npz")))
    expected = sparring.load(studio.runs / "styles").sample(4, seed=0, truncation=0.5).items
    np.testing.assert_array_equal(arrays["images"].reshape(expected.shape), expected)
    page.locator("#gallery button:has(img)").first.click()
    text(page, "#selection", "Sample 1 is selected.")
    page.click("#keep-A")
    error(page, "truncated")


def test_an_image_is_translated_in_both_directions(page, studio):
    given = studio.runs.parent / "given.png"
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (24, 20, 3), dtype=np.uint8)).save(given)
    model = sparring.load(studio.runs / "horses")
    choose(page, "horses", "Your file")
    page.set_input_files("#upload input[type=file]", given)
    page.wait_for_selector("#upload img")
    address = None
    for reverse in (False, True):
        page.set_checked("#reverse input", reverse)
        page.click("#file-go")
        text(page, "#file-status", f"20 x 24 became 20 x 24 pixels{' in the opposite direction' if reverse else '.'}")
        address = address_of(page, "#file-result", "given-cyclegan.png", other_than=address)
        with Image.open(given) as before, Image.open(io.BytesIO(content(page, address))) as after:
            np.testing.assert_array_equal(np.asarray(after), model.apply(np.asarray(before), reverse=reverse))


def test_a_film_is_continued_and_played(page, trained):
    choose(page, "walks", "Your file")
    assert page.is_hidden("#upload")
    page.set_input_files("#upload-file input[type=file]", trained.parent / "walks" / "0.webp")
    page.wait_for_selector('#upload-file td[aria-label="0.webp"]')
    page.locator("#file-length input").fill("6")
    page.click("#file-go")
    text(page, "#file-status", "1 film in 0-predict.mp4.")
    seconds = page.wait_for_function("() => document.querySelector('#file-video video')?.duration").json_value()
    assert seconds == pytest.approx(1.3, abs=0.01)  # 7 given frames and 6 generated ones, ten a second
    assert b"ftyp" in listed(page, "#file-result", "0-predict.mp4")[:16]


def test_parts_are_shown_side_by_side_and_given(page, studio, trained):
    choose(page, "things", "Sample")
    pick(page, "#fields", "picture")
    page.wait_for_selector('#sample-run [data-fields="picture"]')
    page.locator("#count input").fill("3")
    page.set_input_files("#ask-given-picture input[type=file]", trained.parent / "things" / "004.png")
    page.wait_for_selector('#ask-given-picture td[aria-label="004.png"]')
    page.click("#sample")
    text(page, "#sample-status", "3 items of seed 0 with picture=004.png")
    length = "seconds => document.querySelector('#part-sound #duration')?.innerText === seconds"
    page.wait_for_function(length, arg="0:01")  # of all sounds, one after the other
    text(page, "#part-row", "color")
    image(page, "#part-picture")
    places = [page.locator(f"#part-{name}").bounding_box()["x"] for name in ("picture", "sound", "text", "row")]
    assert len(set(places)) > 1
    page.locator("#gallery button:has(img)").nth(2).click()
    text(page, "#selection", "Sample 3 is selected.")
    rows = sparring.load(studio.runs / "things").sample(3, seed=0, given={"picture": trained.parent / "things/004.png"})
    text(page, "#part-row", f"{rows.items.parts['row']['weight'][2]:g}")
    page.wait_for_function(length, arg="0:00")  # of one


def test_an_uploaded_table_is_trained_on_and_evaluated(page, studio, trained):
    open_tab(page, "Train")
    with page.expect_file_chooser() as chooser:
        page.click("#upload-data")
    chooser.value.set_files(trained.parent / "people.csv")
    page.wait_for_function("() => document.querySelector('#data input').value.endsWith('people.csv')")
    page.click("#inspect")
    text(page, "#about-data", "400 rows")
    page.locator("#steps").get_by_role("textbox").fill("20")
    page.locator("#time").get_by_role("textbox").fill("")
    for name in ("one", "two"):
        page.locator("#name").get_by_role("textbox").fill(name)
        page.click("#start")
        page.wait_for_selector(f"#train-status:has-text('{name}') .state.done")
    assert sparring.load(studio.runs / "one").sample(3).items.columns.tolist() == ["age", "city"]
    open_tab(page, "Compare")
    pick(page, "#runs", "one", "two")
    page.set_default_timeout(2 * WAIT)  # two commands run one after the other
    page.click("#evaluate")
    text(page, "#compare-status", "All of them are evaluated.")
    page.wait_for_selector("#compared figure:nth-of-type(2) img")
    shown = page.inner_text("#scores")
    for name in ("one", "two"):
        numbers = json.loads((studio.runs / name / "evaluation.json").read_text())["numbers"]
        assert [number for number in numbers if number not in shown] == []
