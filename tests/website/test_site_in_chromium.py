"""The site, built as by `make docs`, in a real browser: errors, narrow screens, accessibility, search, languages."""

import importlib.util
import shutil
from pathlib import Path

import pytest
from accessibility import violations

from website.__main__ import build

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium to open the site with"),
]
WAIT = 60_000  # milliseconds until a state must be reached, on a machine that is busy
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
PAGES = (
    "", "commands/train/", "book/1-the-game/", "zh/book/3-losses/",
    *(pytest.param(page, marks=pytest.mark.slow) for page in (
        "overview/", "tour/", "tables/", "judging/", "studio/", "recipes/", "recipes/gan/", "api/", "api/data/",
        "bench/mnist/", "contributing/", "notebooks/", "notebooks/1-first-gan/", "changelog/", "zh/",
    )),
)  # fmt: skip


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    spec = importlib.util.spec_from_file_location("site_benchmark", ROOT / "benchmarks" / "site.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with module.served(build(tmp_path_factory.mktemp("docs"))) as url:
        yield url


@pytest.fixture(scope="module")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api", reason="the browser is driven by playwright")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium, served):
    """A function that opens a page of the site. At the end it checks that there were no errors, and that nothing was
    requested from other machines.
    """
    contexts, problems = [], []

    def opened(address, viewport, scheme="light"):
        context = chromium.new_context(viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
        contexts.append(context)
        context.set_default_timeout(WAIT)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(f"page: {error}"))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("request", lambda r: None if r.url.startswith((served, "data:", "blob:")) else problems.append(r.url))
        page.goto(served + address)
        page.wait_for_load_state("networkidle")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert problems == []


@pytest.mark.parametrize("address", PAGES)
def test_pages_are_accessible_and_fit(visit, address):
    """On a screen and on a phone, in both schemes of colors."""
    for viewport, scheme in ((WIDE, "light"), (PHONE, "dark")):
        page = visit(address, viewport, scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        assert page.locator("h1").count() == 1
        assert violations(page) == [], (address, scheme)


def test_pictures_of_the_gallery_are_shown(visit):
    page = visit("", WIDE)
    pictures = page.locator(".gallery img")
    assert pictures.count() >= 12
    for i in range(pictures.count()):
        pictures.nth(i).scroll_into_view_if_needed()
    page.wait_for_function("[...document.querySelectorAll('.gallery img')].every(i => i.complete && i.naturalWidth)")
    assert page.locator(".gallery-card").count() == page.locator(".gallery-card pre").count()


@pytest.mark.parametrize(("address", "words"), [("", "truncation"), ("zh/", "损失")])
def test_search_finds_pages(visit, address, words):
    page = visit(address, WIDE)
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").fill(words)
    page.locator("a:has(mark)").filter(has_text=words).first.wait_for()


def test_both_languages_and_both_schemes_can_be_chosen(visit):
    page = visit("", WIDE)
    assert page.evaluate("document.documentElement.lang") == "en"
    schemes = set()
    for _ in range(3):  # that of the system, light, dark
        schemes.add(page.evaluate("document.body.dataset.mdColorScheme"))
        page.locator("form[data-md-component=palette] label:visible").click()
    assert schemes == {"default", "slate"}
    page.goto(page.locator("a[hreflang=zh]").first.evaluate("link => link.href"))
    assert page.evaluate("document.documentElement.lang") == "zh"
