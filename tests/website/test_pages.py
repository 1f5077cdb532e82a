"""Pages of the repository become pages of the site: links, formulas, references, and what the navigation lists."""

import re
import shlex

import pytest
import typer

from sparring import recipes
from sparring.cli import app
from website import navigation
from website.__main__ import gather
from website.gallery import ITEMS, card
from website.links import dead
from website.pages import ROOT, DeadLink, Site


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    entries, site = gather(folder)
    return folder, entries, site


def adapted(text, path="docs/tables.md", page="tables.md", folder=None):
    return Site(folder).adapted(text, path, page)


def test_links_follow_pages_to_their_new_places():
    assert adapted("[a](data.md#x) [b](book/README.md) [c](https://x.org)") == (
        "[a](data.md#x) [b](book/index.md) [c](https://x.org)"
    )
    assert adapted("[r](docs/recipes/README.md)", "README.md", "overview.md") == "[r](recipes/index.md)"
    assert adapted("[up](../README.md)") == "[up](overview.md)"
    assert adapted("`[a](b)` and\n\n```\n[a](b)\n```\n") == "`[a](b)` and\n\n```\n[a](b)\n```\n"


def test_links_between_languages_are_addresses_in_a_browser(tmp_path):
    chinese = adapted("[表](docs/tables.md#a)", "README.zh.md", "zh/index.md", tmp_path)
    assert chinese == "[表](../tables/#a)"
    assert adapted("[中文](../README.zh.md)", page="tables.md") == "[中文](../zh/)"


def test_what_is_not_a_page_is_shown_as_text(tmp_path):
    site = Site(tmp_path)
    linked = site.adapted("[loss](../sparring/losses/adversarial.py) [m](../monitoring)", "docs/loop.md", "loop.md")
    assert linked == "[loss](source/sparring/losses/adversarial.py.md) [m](source/monitoring.md)"
    site.add_sources()
    assert (ROOT / "sparring/losses/adversarial.py").read_text("utf-8").rstrip() in (
        tmp_path / "source/sparring/losses/adversarial.py.md"
    ).read_text("utf-8")


def test_a_dead_link_is_refused():
    with pytest.raises(DeadLink, match=r"docs/tables\.md links to nowhere\.md, which does not exist"):
        adapted("[a](nowhere.md)")


def test_formulas_are_mathml_in_the_book_alone():
    book = adapted("a $x^2$\n\n$$y$$\n\n`$HOME`", "docs/book/3-losses.md", "book/3-losses.md")
    assert re.fullmatch(
        r'a <span><math [^$]*</math></span>\n\n<div class="formula" tabindex="0"><math [^$]*</div>\n\n`\$HOME`', book
    )
    assert adapted("from $A to $B") == "from $A to $B"


def test_a_bar_in_a_cell_of_a_table_is_shown_once():
    assert adapted("| `a \\| b` | c |") == "| <code>a &#124; b</code> | c |"


def test_the_file_of_a_block_is_its_title():
    assert adapted("```python a/b.py\nx = 1\n```") == '```python title="a/b.py"\nx = 1\n```'
    assert adapted("```python\nx y\n```") == "```python\nx y\n```"


def test_everything_is_in_the_navigation(sources):
    _, entries, _ = sources
    listed = navigation.pages(entries)
    assert len(listed) == len(set(listed))
    for path in (ROOT / "docs" / "recipes").glob("*.md"):
        assert f"recipes/{path.name.replace('README', 'index')}" in listed
    assert {f"recipes/{name}.md" for name in recipes.names()} <= set(listed)


def test_a_page_outside_the_navigation_is_refused(tmp_path):
    site = Site(tmp_path)
    site.write("new.md", "# New")
    site.write("zh/index.md", "# 新")
    with pytest.raises(DeadLink, match=r"^add new\.md to website/navigation\.py$"):
        site.check_listed(["data.md"], ["index.md"])


def test_every_option_of_every_command_is_in_the_reference(sources):
    folder, _, _ = sources
    for name, command in typer.main.get_command(app).commands.items():
        page = (folder / "commands" / f"{name}.md").read_text("utf-8")
        for parameter in command.params:
            for option in parameter.opts if parameter.param_type_name == "option" else []:
                assert option in page, (name, option)
    assert "`--where`" in (folder / "commands" / "sample.md").read_text("utf-8")


def test_the_python_reference_has_signatures_and_arguments(sources):
    folder, _, _ = sources
    page = (folder / "api" / "index.md").read_text("utf-8")
    assert "## train\n\n```python\ntrain(\n    recipe: " in page
    assert "### Model.sample\n" in page
    assert "__init__" not in page
    losses = (folder / "api" / "losses.md").read_text("utf-8")
    assert "### gradient_penalty\n\n```python\ngradient_penalty(D: Critic, real: Tensor" in losses
    assert "_cross_entropy" not in losses


def unknown(words):
    """Options that a command lacks."""
    command = typer.main.get_command(app).commands[words[1]]
    return {word for word in words[2:] if word.startswith("-")} - {o for p in command.params for o in p.opts}


def test_commands_of_the_gallery_exist():
    for item in ITEMS:
        for name in (item["picture"], item.get("sound", item["picture"])):
            assert (ROOT / "docs" / name).is_file()
        for words in map(shlex.split, item["commands"]):
            if words[0] == "python":
                assert words[1] in (ROOT / "docs" / item["page"]).read_text("utf-8"), words
                assert (ROOT / words[1]).is_file(), words
            else:
                assert not unknown(words), words


def test_a_sound_of_the_gallery_has_a_player():
    shown = card({**ITEMS[0], "sound": "song.ogg"})
    assert '<audio controls preload="none" src="song.ogg"' in shown
    assert shown.index(ITEMS[0]["picture"]) < shown.index("<audio") < shown.index(ITEMS[0]["commands"][0])


@pytest.mark.parametrize("page", ["data", "gpu", "studio"])
def test_commands_of_pages_that_no_other_test_runs_exist(page):
    text = (ROOT / "docs" / f"{page}.md").read_text("utf-8")
    blocks = re.findall(r"^```\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    lines = [line.partition(" #")[0] for block in blocks for line in block.splitlines() if line.startswith("sparring ")]
    assert lines
    for line in lines:
        assert not unknown(shlex.split(line)), line


def test_dead_links_of_a_built_site_are_found(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "index.html").write_text('<a href="a/">a</a> <a href="a/#there">b</a> <a href="https://x.org">c</a>')
    (tmp_path / "a" / "index.html").write_text('<p id="there"><img src="../x.png"><a href="../#gone">d</a>')
    assert dead(tmp_path) == ["a/index.html -> ../x.png", "a/index.html -> ../#gone"]
