"""What is printed cannot control the terminal, wherever names in it come from."""

import io

import numpy as np
import pytest
from PIL import Image
from rich.table import Table
from test_cli import sparring

from sparring.console import Console, Screen, complain, number_table, visible

RED = "\x1b[31mred"


def test_visible():
    assert visible("plain 日本 é ✓\n\ttab") == "plain 日本 é ✓\n\ttab"
    assert visible(RED) == r"\x1b[31mred"
    assert visible("\r\b\x7f\x9b\u202e\u2028\udcff") == r"\r\x08\x7f\x9b\u202e\u2028\udcff"


def printed(what, **settings):
    """What a terminal would get."""
    file = io.StringIO()
    Console(file=file, width=200, **settings).print(what, markup=False)
    return file.getvalue()


def test_text_and_tables_are_escaped():
    assert printed(RED) == "\\x1b[31mred\n"
    assert printed(":smile: [bold]") == ":smile: [bold]\n"
    table = Table(RED)
    table.add_row("a\rb")
    assert "\x1b" not in printed(table)
    assert "\r" not in printed(table)
    assert "\x1b" not in printed(number_table([["metric", RED], [RED, "1"]]))


def test_names_in_progress_bars_are_neither_commands_nor_markup():
    screen = Screen()
    screen.console = Console(file=io.StringIO(), force_terminal=True, width=200)
    with screen.progress("checking {x} [/] \x1b]0;title\x07") as progress:
        progress(1, 2)
    screen.start()
    screen.show(1, 2, "[/] \x1b]0;title\x07")
    screen.stop()
    shown = screen.console.file.getvalue()
    assert "checking {x} [/]" in shown
    assert "\x1b]0" not in shown


def test_progress_in_a_notebook_is_redrawn_in_place(monkeypatch):
    display = pytest.importorskip("IPython.display", reason="a notebook has IPython")
    shown = []

    class Handle:
        def update(self, html):
            shown.append(html.data)

    monkeypatch.setattr(display, "display", lambda *_, **__: Handle())
    monkeypatch.setattr("sparring.console.REDRAW_EVERY", 3600)
    screen = Screen()
    screen.console = Console(file=io.StringIO(), force_jupyter=True)
    screen.start()
    for step, line in ((1, "<b> \x1b"), (2, "too soon"), (4, "done")):
        screen.show(step, 4, line)
    screen.stop()
    with screen.progress("checking") as progress:
        progress(1, None)
    assert shown == [
        '<progress value="1" max="4"></progress> 1/4 &lt;b&gt; \\x1b',
        '<progress value="4" max="4"></progress> 4/4 done',
        "<progress></progress> 1/? checking",
        "",
    ]


def test_an_error_is_one_line_and_not_too_long(capsys):
    complain(f"a\n\x1b[31m\u2028 {'b' * 100_000}")
    error = capsys.readouterr().err
    assert error.startswith(r"sparring: a \x1b[31m bbb")
    assert error.count("\n") == 1
    assert len(error) < 2100


@pytest.mark.parametrize("name", [RED, "a\nb", "\udcff", "{0}", "[bold]"])
def test_files_of_such_names(tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    for place in (name, "other"):
        (tmp_path / "photos" / place).mkdir(parents=True)
        for i in range(4):
            pixels = np.random.default_rng(i).integers(0, 255, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / place / f"{i}.png")
        (tmp_path / "photos" / place / f"{name}.png").write_bytes(b"no")
    toy = ("--recipe", "gan", "batch=4", "G=4", "D=4", "z=2", "--steps", 1)
    for words in (("check", "photos"), ("check", name), ("train", name, *toy)):
        status, out, err = sparring(monkeypatch, capsys, *words)
        assert status == (0 if "photos" in words else 2)
        assert not {"\x1b", "\r", "\udcff"} & set(out + err)
