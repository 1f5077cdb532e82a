"""The page as people use it: started on the command line, opened in Chromium."""

import io
import os
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest
from accessibility import violations
from driving import (
    BROWSER,
    ENDING,
    address_of,
    choose,
    content,
    download,
    error,
    image,
    listed,
    number,
    open_tab,
    pick,
    ready,
    select,
    serve,
    text,
)
from PIL import Image

import sparring

pytestmark = BROWSER

PAINTED = r"([\d,]+) pixels will be filled"
PHONE, WIDE = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
# Violations that Gradio makes and this page cannot mend: rules of axe, and selectors.
OF_GRADIO = (("aria-prohibited-attr", ".empty"),)  # aria-label of an image that is empty
TABS_OF = {
    "digits": ("Runs", "Train", "Sample", "Edit", "Your file", "Compare"),
    "people": ("Runs", "Train", "Sample", "Compare"),
    "filled": ("Your file",),
}


def test_train_watch_stop_and_resume(page, studio):
    open_tab(page, "Train")
    page.locator("#data input").fill("no/such/place")
    page.keyboard.press("Tab")
    page.click("#inspect")
    error(page, "no/such/place")
    pick(page, "#data", "digits")
    page.click("#inspect")
    text(page, "#about-data", "1,797 images")
    pick(page, "#recipe", "gan")
    page.click("#recipe-table button")
    page.locator("#field-batch").get_by_role("textbox").fill("32")
    page.locator("#time").get_by_role("textbox").fill("4m")
    page.locator("#name").get_by_role("textbox").fill("from the page")
    page.click("#start")
    text(page, "#train-status", "from the page")
    first = image(page, "#train-sheet")
    assert page.is_enabled("#stop")
    assert page.is_disabled("#resume")
    image(page, "#train-sheet", other_than=first)
    page.click("#stop")
    page.wait_for_selector("#train-status .state.done")
    run = studio.runs / "from the page"
    assert sparring.load(run).recipe.batch == 32
    assert page.input_value("#run input") == "from the page"
    open_tab(page, "Sample")  # the tab appears with the model
    ready(page, "from the page", "Sample")
    page.click("#sample")
    image(page, "#gallery")
    open_tab(page, "Train")
    stopped = number(page, "#train-status", r"step ([\d,]+)")
    page.click("#resume")
    page.wait_for_selector("#train-status .state.training")
    number(page, "#train-status", r"step ([\d,]+)", other_than=stopped)
    page.click("#stop")
    page.wait_for_selector("#train-status .state.done")
    open_tab(page, "Runs")
    page.wait_for_selector('button.card[data-run="from the page"] img')


def test_sample_keep_and_walk(page, studio):
    choose(page, "digits", "Sample")
    page.locator("#count input").fill("6")
    page.locator("#seed input").fill("3")
    page.click("#sample")
    text(page, "#sample-status", "6 images of seed 3")
    image(page, "#gallery")
    assert page.locator("#gallery img").count() == 6
    expected = sparring.load(studio.runs / "digits").sample(6, seed=3).items
    arrays = np.load(io.BytesIO(listed(page, "#sample-files", "digits-6.npz")))
    np.testing.assert_array_equal(arrays["images"].reshape(expected.shape), expected)
    with zipfile.ZipFile(io.BytesIO(listed(page, "#sample-files", "digits-6.zip"))) as archive:
        assert len([name for name in archive.namelist() if name.endswith(".png")]) == 6
    page.click("#walk")
    error(page, "two samples are needed")
    for index, end in ((0, "A"), (4, "B")):
        page.locator("#gallery button:has(img)").nth(index).click()
        text(page, "#selection", f"Sample {index + 1} is selected.")
        page.click(f"#keep-{end}")
        text(page, f"#kept-{end}", f"sample {index + 1} of seed 3")
    page.click("#walk")
    with Image.open(io.BytesIO(listed(page, "#walk-files", "walk.gif"))) as film:
        assert film.n_frames == 30
    image(page, "#walk-sheet")
    image(page, "#walk-film")


def test_a_slider_changes_the_image(page):
    choose(page, "digits", "Edit")
    first = pixels(content(page, image(page, "#edited")))
    page.locator("#slider-1 input[type=range]").focus()
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    text(page, "#edited", "sefa 1 +0.60")
    moved = pixels(content(page, image(page, "#edited")))
    name, saved = download(page, "#edited a[download]")
    assert name.endswith(".png")
    assert pixels(saved) == moved != first
    page.click("#edit-keep")
    image(page, "#edit-kept")
    page.click("#edit-reset")
    page.wait_for_function("() => !document.querySelector('#edited').innerText.includes('sefa')")
    assert pixels(content(page, image(page, "#edited"))) == first


def pixels(data):
    with Image.open(io.BytesIO(data)) as opened:
        return opened.convert("RGB").tobytes()


def test_a_given_image_is_inverted_and_edited(page, studio, tmp_path):
    sparring.load(studio.runs / "digits").sample(1, seed=9).save(tmp_path / "given.png")
    choose(page, "digits", "Your file")
    page.click("#file-go")
    error(page, "no file is given")
    page.set_input_files("#upload input[type=file]", tmp_path / "given.png")
    page.wait_for_selector("#upload img")
    page.click("#file-go")
    assert number(page, "#file-status", r"error of (\d\.\d+)") < 0.02  # one of the model's own samples is found again
    with Image.open(io.BytesIO(listed(page, "#file-result", "digits-inverted.png"))) as found:
        assert found.size == (256, 256)
    page.click("#file-edit")
    text(page, "#edited", "digits, your image")
    image(page, "#edited")


def test_painted_holes_are_filled(page, tmp_path):
    Image.fromarray(np.full((28, 28), 255, np.uint8)).save(tmp_path / "white.png")
    choose(page, "filled", "Your file")
    page.set_input_files("#upload input[type=file]", tmp_path / "white.png")
    page.wait_for_selector("#mask-editor canvas")
    page.click("#file-go")
    error(page, "nothing is painted over the image")
    page.locator("#mask-editor canvas").scroll_into_view_if_needed()
    box = page.locator("#mask-editor canvas").bounding_box()
    pixel = box["width"] / 28
    page.mouse.move(box["x"] + 12 * pixel, box["y"] + 14 * pixel)
    page.mouse.down()
    page.mouse.move(box["x"] + 16 * pixel, box["y"] + 14 * pixel, steps=4)
    page.mouse.up()
    painted = number(page, "#mask-status", PAINTED)
    first = fill(page, painted)
    changed = not_white(page, first)
    rows, columns = np.nonzero(changed)
    assert changed[14, 12:16].all()
    assert (rows.min(), rows.max()) == (12, 15)  # with a brush of a seventh of the image
    assert (columns.min(), columns.max()) == (10, 17)
    page.focus("#mask-editor canvas")
    for _ in range(5):
        page.keyboard.press("ArrowUp")
    page.keyboard.press(" ")
    second = fill(page, number(page, "#mask-status", PAINTED, other_than=painted), other_than=first)
    rows, _ = np.nonzero(not_white(page, second) & ~changed)
    assert (rows.min(), rows.max()) == (2, 5)


def fill(page, painted, other_than=None):
    """The address of the filled image, once as many pixels are filled as are painted."""
    page.click("#file-go")
    text(page, "#file-status", f"28 x 28 became 28 x 28 pixels, of which {painted} were filled")
    return address_of(page, "#file-result", "white-inpaint.png", other_than)


def not_white(page, address):
    with Image.open(io.BytesIO(content(page, address))) as opened:
        return np.asarray(opened.convert("L")) != 255


def test_rows_satisfy_the_conditions(page):
    choose(page, "people", "Sample")
    pick(page, "#fields", "city", "age")
    page.wait_for_selector('#sample-run [data-fields="city, age"]')
    pick(page, "#ask-where-city", "Oslo")
    page.locator("#ask-where-age-from").get_by_role("textbox").fill("30")
    page.locator("#ask-where-age-to").get_by_role("textbox").fill("60")
    page.locator("#count input").fill("50")
    page.click("#sample")
    status = text(page, "#sample-status", "50 rows of seed 0 with city=Oslo and age>=30 and age<=60")
    assert "real rows that satisfy the same conditions" in status
    page.wait_for_selector("#comparison figure")
    rows = pd.read_csv(io.BytesIO(listed(page, "#sample-files", "people-50.csv")))
    assert len(rows) == 50
    assert set(rows["city"]) == {"Oslo"}
    assert rows["age"].between(30, 60).all()
    parquet = pd.read_parquet(io.BytesIO(listed(page, "#sample-files", "people-50.parquet")))
    pd.testing.assert_frame_equal(parquet, rows, check_dtype=False)
    page.locator("#ask-where-age-from").get_by_role("textbox").fill("ninety")
    page.click("#sample")
    error(page, "ninety")


def test_runs_side_by_side(page):
    open_tab(page, "Compare")
    page.click("#compare")
    error(page, "0 runs are selected; select 2 to 6")
    pick(page, "#runs", "digits", "classes")
    page.click("#compare")
    page.wait_for_selector("#compared figure:nth-of-type(2) img")
    assert page.inner_text("#scores").splitlines()[0].split() == ["digits", "classes"]
    name, html = download(page, "#compare-html")
    assert name == "compared.html"
    assert html.count(b"<img") == 2


def test_files_of_a_run(page, studio):
    choose(page, "classes", "Runs")
    page.click("#get-files")
    with zipfile.ZipFile(io.BytesIO(listed(page, "#run-files", "model.zip"))) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    assert names == {path.name for path in (studio.runs / "classes" / "model").iterdir()}


def test_users_do_not_disturb_each_other(studio, visit):
    users = {name: visit(studio.url) for name in ("digits", "people")}
    for name, page in users.items():
        page.wait_for_selector("button.card.selected")
        select(page, name)
        ready(page, name, "Runs")
    shutil.copytree(studio.runs / "classes", studio.runs / "a new run")
    for name, page in users.items():
        page.wait_for_selector('button.card[data-run="a new run"]')  # the page has refreshed its runs since
        assert page.input_value("#run input") == name
        assert page.locator("button.card.selected").get_attribute("data-run") == name


def test_the_keyboard_reaches_everything(page):
    choose(page, "digits", "Sample")
    assert {"run", "ask-label", "seed", "count", "truncation", "sample", "next-seed"} <= reached_by_tab(page)
    open_tab(page, "Train")
    settings = {"data", "inspect", "recipe", "time", "steps", "train-seed", "device", "name", "start"}
    assert settings <= reached_by_tab(page)
    open_tab(page, "Runs")
    last = page.locator("button.card").last.get_attribute("data-run")
    page.focus(f'button.card[data-run="{last}"]')
    page.keyboard.press("Enter")
    page.wait_for_selector(f'button.card.selected[data-run="{last}"]')
    unnamed = page.eval_on_selector_all(
        "img, input:not([type=file]), button, textarea",
        """all => all.filter(e => e.offsetParent && !(e.alt || e.ariaLabel || e.title || e.innerText || e.labels?.length
            || e.getAttribute('aria-labelledby') || e.querySelector('img[alt]:not([alt=""])')))
            .map(e => e.outerHTML.slice(0, 200))""",
    )
    assert unnamed == []


def reached_by_tab(page):
    """The ids of all elements that the Tab key moves the focus to."""
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
def test_tabs_are_accessible_and_a_phone_needs_no_scrolling_sideways(studio, visit, scheme):
    size = PHONE if scheme == "light" else WIDE
    page = visit(studio.url, viewport=size, color_scheme=scheme, has_touch=True)
    page.wait_for_selector("button.card.selected")
    lightness = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (sum(lightness) < 200) == (scheme == "dark")
    found = []  # violations of accessibility: on a phone in light colors, on a wide screen in dark ones
    for run in TABS_OF if scheme == "light" else ("digits",):
        select(page, run)
        for tab in TABS_OF[run]:
            open_tab(page, tab)
            ready(page, run, tab)
            width = page.evaluate("Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)")
            assert width <= size["width"], tab
            found += [(tab, *violation) for violation in violations(page, OF_GRADIO)]
    assert found == []


def test_password_and_the_end_of_a_training(trained, visit, tmp_path, monkeypatch):
    """A password is needed. If the studio ends during a training, the model is written."""
    monkeypatch.setenv("SPARRING_PASSWORD", "open sesame")
    served = serve(shutil.copytree(trained, tmp_path / "runs"))
    try:
        page = visit(served.url)
        for password in ("open", "", "open sesame"):
            page.get_by_role("textbox").first.fill("me")
            page.locator("input[type=password]").fill(password)
            assert page.request.get(f"{served.url}/config").status == 401
            with page.expect_response(lambda response: response.url.endswith("/login")) as answer:
                page.get_by_role("button", name="Login").click()
            assert answer.value.ok == (password == "open sesame")
        page.wait_for_selector("button.card.selected")
        open_tab(page, "Train")
        page.locator("#name").get_by_role("textbox").fill("cut short")
        pick(page, "#recipe", "gan")
        page.click("#recipe-table button")
        page.wait_for_selector("#field-batch")
        page.click("#start")
        text(page, "#train-status", "cut short")
        image(page, "#train-sheet")
        page.context.close()
        assert served.process.poll() is None
    finally:
        status, printed = served.end()
    assert status == 0
    assert "stopping 1 training" in printed
    assert "Traceback" not in printed
    assert sparring.load(tmp_path / "runs" / "cut short").sample(1)


@pytest.mark.parametrize(
    ("words", "message"),
    [(["--host=0.0.0.0"], "--password"), (["--port=0"], "from 1 to 65535"), (["nowhere"], "no folder 'nowhere'")],
)
def test_bad_input_is_reported_in_one_line(words, message, tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != "SPARRING_PASSWORD"}
    ended = subprocess.run(
        [sys.executable, "-m", "sparring", "studio", *words], cwd=tmp_path, env=environment, capture_output=True,
        text=True, timeout=ENDING,
    )  # fmt: skip
    assert ended.returncode == 2
    assert message in ended.stderr
    assert ended.stderr.count("\n") == 1
