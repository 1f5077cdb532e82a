"""The page as people use it: the real command, a real Chromium."""

import io
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile

import numpy as np
import pandas as pd
import pytest
from driving import BROWSER, WAIT, choose, download, enter, open_tab, pick, picture, said, serve, settled
from PIL import Image

import sparring

pytestmark = BROWSER

PHONE = {"width": 390, "height": 844}
TABS_OF = {
    "digits": ("Runs", "Train", "Sample", "Edit", "Your picture", "Compare"),
    "people": ("Runs", "Train", "Table", "Compare"),
    "filled": ("Your picture",),
}


def test_train_watch_stop_and_resume(page, studio):
    open_tab(page, "Train")
    enter(page.locator("#data input"), "no/such/place")
    page.keyboard.press("Tab")
    page.click("#look")
    said(page, "no/such/place")
    pick(page, "#data", "digits")
    page.click("#look")
    page.wait_for_selector("#about-data :text('1,797 pictures')")
    pick(page, "#recipe", "gan")
    page.click("#table-of-recipe button")
    page.wait_for_selector("#field-batch")
    enter(page.locator("#field-batch").get_by_role("textbox"), "32")
    enter(page.locator("#time").get_by_role("textbox"), "5m")
    enter(page.locator("#name").get_by_role("textbox"), "from the page")
    page.click("#start")
    page.wait_for_selector("#train-state:has-text('from the page')")
    first = picture(page, "#train-sheet")
    assert page.is_enabled("#stop")
    assert page.is_disabled("#resume")
    picture(page, "#train-sheet", unlike=first)
    page.click("#stop")
    page.wait_for_selector("#train-state .state.done")
    run = studio.runs / "from the page"
    assert sparring.load(run).recipe.batch == 32
    assert page.input_value("#run input") == "from the page"
    open_tab(page, "Sample")  # which is there now that there is a model
    page.click("#sample")
    page.wait_for_selector("#gallery img")
    open_tab(page, "Train")
    before = (run / "log.jsonl").read_text().count("\n")
    page.click("#resume")
    page.wait_for_selector("#train-state .state.training")
    page.wait_for_function("() => !document.querySelector('#stop').disabled")
    while (run / "log.jsonl").read_text().count("\n") == before:
        page.wait_for_timeout(100)
    page.click("#stop")
    page.wait_for_selector("#train-state .state.done")
    open_tab(page, "Runs")
    page.wait_for_selector('button.card[data-run="from the page"] img')


def test_sample_keep_and_go_between(page, studio):
    choose(page, "digits", "Sample")
    enter(page.locator("#many input[type=number]"), "6")
    enter(page.locator("#seed input"), "3")
    page.click("#sample")
    page.wait_for_selector("#samples-npz")
    assert page.locator("#gallery img").count() == 6
    name, content = download(page, "#samples-npz")
    assert name == "digits-6.npz"
    wanted = sparring.load(studio.runs / "digits").sample(6, seed=3).items
    np.testing.assert_array_equal(np.load(io.BytesIO(content))["images"].reshape(wanted.shape), wanted)
    page.click("#way")
    said(page, "two samples are needed")
    for place, end in ((0, "A"), (4, "B")):
        page.locator("#gallery button:has(img)").nth(place).click()
        page.wait_for_timeout(300)
        page.click(f"#keep-{end}")
        page.wait_for_selector(f"#kept-{end} img")
    page.click("#way")
    page.wait_for_selector("#way-gif")
    name, content = download(page, "#way-gif")
    with Image.open(io.BytesIO(content)) as film:
        assert (name, film.n_frames) == ("way.gif", 30)
    page.wait_for_selector("#way-film img")


def test_a_slider_changes_the_picture(page):
    choose(page, "digits", "Edit")
    first = settled(page, "#edited")
    slider = page.locator("#slider-1 input[type=range]")
    slider.focus()
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    moved = picture(page, "#edited", unlike=first)
    page.wait_for_timeout(500)
    _, content = download(page, "#edit-png")
    assert pixels(content) == pixels(picture(page, "#edited"))
    page.click("#edit-keep")
    page.wait_for_selector("#edit-kept img")
    page.click("#edit-reset")
    until = time.monotonic() + WAIT / 1000
    while pixels(picture(page, "#edited")) != pixels(first) and time.monotonic() < until:
        page.wait_for_timeout(100)
    assert pixels(picture(page, "#edited")) == pixels(first)
    assert moved != first


def pixels(content):
    with Image.open(io.BytesIO(content)) as opened:
        return opened.convert("RGB").tobytes()


def test_a_given_picture_is_found_and_edited(page, studio, tmp_path):
    samples = sparring.load(studio.runs / "digits").sample(1, seed=9)
    samples.save(tmp_path / "given.png")
    choose(page, "digits", "Your picture")
    page.click("#picture-go")
    said(page, "no picture is given")
    page.set_input_files("#upload input[type=file]", tmp_path / "given.png")
    page.wait_for_selector("#upload img")
    page.click("#picture-go")
    error = float(re.search(r"error of ([\d.]+)", page.inner_text("#picture-said:has-text('error of')"))[1])
    assert error < 0.02  # one of its own samples is found again
    name, content = download(page, "#picture-png")
    with Image.open(io.BytesIO(content)) as found:
        assert (name, found.size) == ("digits-inverted.png", (256, 256))
    page.click("#picture-edit")
    page.wait_for_selector("#edit-start:has-text('your picture')")
    picture(page, "#edited")


def test_holes_that_are_drawn_are_filled(page, tmp_path):
    Image.fromarray(np.full((28, 28), 255, np.uint8)).save(tmp_path / "white.png")
    choose(page, "filled", "Your picture")
    page.set_input_files("#upload input[type=file]", tmp_path / "white.png")
    page.wait_for_selector("#paint canvas")
    page.click("#picture-go")
    said(page, "nothing is drawn over the picture")
    page.locator("#paint canvas").scroll_into_view_if_needed()
    box = page.locator("#paint canvas").bounding_box()
    pixel = box["width"] / 28
    page.mouse.move(box["x"] + 12 * pixel, box["y"] + 14 * pixel)
    page.mouse.down()
    page.mouse.move(box["x"] + 16 * pixel, box["y"] + 14 * pixel, steps=4)
    page.mouse.up()
    changed = filled(page)
    rows, columns = np.nonzero(changed)
    assert changed[14, 12:16].all()
    assert (rows.min(), rows.max()) == (12, 15)  # with a brush of a seventh of the picture
    assert (columns.min(), columns.max()) == (10, 17)
    page.focus("#paint canvas")
    for _ in range(5):
        page.keyboard.press("ArrowUp")
    page.keyboard.press(" ")
    page.wait_for_timeout(300)
    rows, _ = np.nonzero(filled(page, unlike=changed) & ~changed)
    assert (rows.min(), rows.max()) == (2, 5)


def filled(page, unlike=None):
    """Which pixels of a white picture are filled, once they are others."""
    page.wait_for_timeout(300)
    page.click("#picture-go")
    page.wait_for_selector("#picture-said:has-text('28 x 28 pixels became 28 x 28')")
    page.wait_for_selector("#before-after .progress-text", state="hidden")
    until = time.monotonic() + WAIT / 1000
    while time.monotonic() < until:
        page.wait_for_timeout(500)
        _, content = download(page, "#picture-png")
        with Image.open(io.BytesIO(content)) as opened:
            found = np.asarray(opened.convert("L")) != 255
        if not np.array_equal(found, unlike):
            return found
    raise AssertionError("the same pixels are filled as before")


def test_rows_obey_what_is_asked(page):
    choose(page, "people", "Table")
    pick(page, "#ask", "city", "age")
    pick(page, "#ask-city", "Oslo")
    enter(page.locator("#ask-age-from").get_by_role("textbox"), "30")
    enter(page.locator("#ask-age-to").get_by_role("textbox"), "60")
    enter(page.locator("#rows input"), "50")
    page.click("#table-sample")
    page.wait_for_selector("#table-said:has-text('50 rows with city=Oslo and age>=30 and age<=60')")
    page.wait_for_selector("#table-plots figure")
    name, content = download(page, "#rows-csv")
    rows = pd.read_csv(io.BytesIO(content))
    assert (name, len(rows)) == ("people-50.csv", 50)
    assert set(rows["city"]) == {"Oslo"}
    assert rows["age"].between(30, 60).all()
    name, content = download(page, "#rows-parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(io.BytesIO(content)), rows, check_dtype=False)
    enter(page.locator("#ask-age-from").get_by_role("textbox"), "ninety")
    page.click("#table-sample")
    said(page, "ninety")


def test_runs_stand_side_by_side(page):
    open_tab(page, "Compare")
    page.click("#compare")
    said(page, "0 runs are chosen; choose 2 to 6")
    pick(page, "#runs", "digits", "classes")
    page.click("#compare")
    page.wait_for_selector("#compared figure:nth-of-type(2) img")
    assert page.inner_text("#scores").splitlines()[0].split() == ["digits", "classes"]
    name, content = download(page, "#compare-html")
    assert name == "compared.html"
    assert content.count(b"<img") == 2


def test_files_of_a_run(page, studio):
    choose(page, "classes", "Runs")
    page.wait_for_selector("#run-facts :text('acgan')")  # it is looked at
    page.wait_for_timeout(500)
    page.click("#get-files")
    page.wait_for_selector("#run-files :text('model')")
    with page.expect_download() as waiting:
        page.locator("#run-files a[download]").first.click()
    with zipfile.ZipFile(waiting.value.path()) as archive:
        known = {name for name in archive.namelist() if not name.endswith("/")}
    assert known == {path.name for path in (studio.runs / "classes" / "model").iterdir()}


def test_two_users_do_not_meet(studio, visit):
    pages = [visit(studio.url) for _ in range(2)]
    for page, name in zip(pages, ("digits", "people"), strict=True):
        page.wait_for_selector("button.card")
        page.click(f'button.card[data-run="{name}"]')
    for page, name, tab in zip(pages, ("digits", "people"), ("Sample", "Table"), strict=True):
        page.wait_for_selector(f'[role=tab]:text-is("{tab}")')
        page.wait_for_timeout(2500)  # a look at the folders later
        assert page.input_value("#run input") == name
        assert page.locator("button.card.chosen").get_attribute("data-run") == name


def test_the_keyboard_reaches_everything(page):
    choose(page, "digits", "Sample")
    reached = tabbed(page)
    assert {"run", "seed", "many", "truncation", "sample", "next-seed"} <= reached
    open_tab(page, "Train")
    assert {"data", "look", "recipe", "time", "steps", "train-seed", "device", "name", "start"} <= tabbed(page)
    open_tab(page, "Runs")
    page.focus("button.card >> nth=-1")
    page.keyboard.press("Enter")
    last = page.locator("button.card").last.get_attribute("data-run")
    page.wait_for_selector(f'button.card.chosen[data-run="{last}"]')
    unnamed = page.eval_on_selector_all(
        "img, input:not([type=file]), button, textarea",
        """all => all.filter(e => e.offsetParent && !(e.alt || e.ariaLabel || e.title || e.innerText || e.labels?.length
            || e.getAttribute('aria-labelledby') || e.querySelector('img[alt]:not([alt=""])')))
            .map(e => e.outerHTML.slice(0, 200))""",
    )
    assert unnamed == []


def tabbed(page):
    """The ids of what the Tab key comes to, from the first to the last."""
    page.evaluate("document.activeElement.blur()")
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached |= set(
            page.evaluate("""() => {
              const ids = [];
              for (let e = document.activeElement; e; e = e.parentElement) if (e.id) ids.push(e.id);
              return ids;
            }""")
        )
    return reached


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_needs_no_scrolling_sideways(studio, visit, scheme):
    page = visit(studio.url, viewport=PHONE, color_scheme=scheme, has_touch=True)
    page.wait_for_selector("button.card")
    lightness = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (sum(lightness) < 200) == (scheme == "dark")
    seen = set()
    for run in TABS_OF if scheme == "light" else ("digits",):
        page.click(f'button.card[data-run="{run}"]')
        page.wait_for_selector(f'button.card.chosen[data-run="{run}"]')
        for name in TABS_OF[run]:
            to_tab(page, name)
            page.wait_for_timeout(300)
            wide = page.evaluate("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)")
            assert wide <= PHONE["width"], name
            seen.add(name)
        to_tab(page, "Runs")
    assert seen == {tab for tabs in TABS_OF.values() for tab in tabs} or scheme == "dark"


def to_tab(page, name):
    """A tab, which may be behind the button for more of them."""
    here = page.locator(f'[role=tab]:text-is("{name}"), .overflow-dropdown button:text-is("{name}")')
    here.first.wait_for(state="attached")
    if not here.first.is_visible():
        page.click(".overflow-menu > button")
    here.first.click()


def test_password_and_the_end_of_a_training(trained, visit, tmp_path, monkeypatch):
    """Nobody comes in without it, and a training that is under way when the studio ends leaves its model."""
    monkeypatch.setenv("SPARRING_PASSWORD", "open sesame")
    served = serve(shutil.copytree(trained, tmp_path / "runs"))
    try:
        page = visit(served.url)
        for password in ("open", "", "open sesame"):
            page.get_by_role("textbox").first.fill("me")
            page.locator("input[type=password]").fill(password)
            assert page.request.get(f"{served.url}/config").status == 401
            page.get_by_role("button", name="Login").click()
            page.wait_for_timeout(300)
        page.wait_for_selector("button.card")
        open_tab(page, "Train")
        enter(page.locator("#name").get_by_role("textbox"), "cut short")
        pick(page, "#recipe", "gan")
        page.click("#table-of-recipe button")
        page.wait_for_selector("#field-batch")
        page.click("#start")
        page.wait_for_selector("#train-state:has-text('cut short')")
        picture(page, "#train-sheet")
        page.context.close()
        assert served.process.poll() is None
    finally:
        status, printed = served.ended()
    assert status == 0
    assert "stopping 1 training" in printed
    assert "Traceback" not in printed
    assert sparring.load(tmp_path / "runs" / "cut short").sample(1)


@pytest.mark.parametrize(
    ("words", "why"),
    [(["--host=0.0.0.0"], "--password"), (["--port=0"], "from 1 to 65535"), (["nowhere"], "no folder 'nowhere'")],
)
def test_bad_input_is_one_line(words, why, tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != "SPARRING_PASSWORD"}
    ended = subprocess.run(
        [sys.executable, "-m", "sparring", "studio", *words], cwd=tmp_path, env=environment, capture_output=True,
        text=True, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 2
    assert why in ended.stderr
    assert ended.stderr.count("\n") == 1
