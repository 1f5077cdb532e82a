"""Console output: messages, progress bars, tables, errors. Everything that is printed goes through this module, so that
names from files cannot control the terminal.
"""

from __future__ import annotations

import io
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import escape as markup
from importlib import import_module
from typing import TYPE_CHECKING, Any

import rich.console
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.progress import Progress

REDRAW_EVERY = 0.2  # seconds between changes of a notebook's cell, at least
QUIET_EVERY = 15.0  # seconds between lines where there is no terminal to redraw
MAX_ERROR = 2000  # characters of an error that are printed; what was given may be very long
# Control characters but tab and newline, those that reorder text or separate lines, and halves of characters.
HOSTILE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    """Text in which characters that control or confuse a terminal are escaped, such as the first of `\\x1b[31m`."""
    return HOSTILE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def say(text: str = "") -> None:
    """Print a message."""
    print(visible(text), flush=True)


def complain(text: str) -> None:
    """Print an error, on one line of stderr."""
    message = " ".join(text.split())
    if len(message) > MAX_ERROR:
        message = f"{message[: MAX_ERROR // 2]} ... {message[-MAX_ERROR // 2 :]}"
    print(f"sparring: {visible(message)}", file=sys.stderr)


def tolerate_encodings() -> None:
    """Print what the encoding of stdout lacks as escapes, as stderr does anyway."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


class Console(rich.console.Console):
    """Prints tables and styled text. Text is made `visible`, and no part of it is highlighted or replaced."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(highlight=False, emoji=False, **settings)

    def render_str(self, text: str, **settings: Any) -> Text:
        return super().render_str(visible(text), **settings)


class Cell:
    """A progress bar and a line in the output of a notebook's cell, redrawn in place. It needs no widgets."""

    def __init__(self) -> None:
        notebook: Any = import_module("IPython.display")  # every notebook has it; its functions have no types
        self._html = notebook.HTML
        self._shown = notebook.display(notebook.HTML(""), display_id=True)
        self._last = -REDRAW_EVERY

    def update(self, done: int, total: int | None, text: str) -> None:
        """Show the progress, but not more often than people read. The bar of an unknown total moves back and forth."""
        if time.monotonic() - self._last >= REDRAW_EVERY or done == total:
            self._last = time.monotonic()
            value = "" if total is None else f' value="{done}" max="{total}"'
            line = f"{done}/{total or '?'} {markup(visible(text))}"
            self._shown.update(self._html(f"<progress{value}></progress> {line}"))

    def clear(self) -> None:
        self._shown.update(self._html(""))


class Screen:
    """Messages and progress of long commands. During training, a live line shows the step, thousands of samples, speed,
    losses and the time left, also in a notebook; if the output is neither a terminal nor a notebook, a plain line is
    printed every few seconds.
    """

    def __init__(self, quiet: bool = False) -> None:
        self.console = Console(quiet=quiet, soft_wrap=True)
        self._live: Progress | None = None
        self._cell: Cell | None = None
        self._last = time.monotonic()

    def say(self, text: str) -> None:
        self.console.print(text, markup=False)

    @contextmanager
    def progress(self, what: str) -> Iterator[Callable[[int, int], None]]:
        """A progress bar, removed when the work is done. Yields a function of (done, total)."""
        if self.console.is_jupyter and not self.console.quiet:
            cell = Cell()
            yield lambda done, total: cell.update(done, total, what)
            cell.clear()
            return
        if not self.console.is_terminal or self.console.quiet:
            yield lambda _done, _total: None
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        name = TextColumn("{task.description}", markup=False)
        with Progress(name, BarColumn(bar_width=24), MofNCompleteColumn(), console=self.console, transient=True) as bar:
            task = bar.add_task(visible(what), total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)

    def start(self) -> None:
        if self.console.is_jupyter and not self.console.quiet:
            self._cell = Cell()
        elif self.console.is_terminal and not self.console.quiet:
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn

            self._live = Progress(
                BarColumn(bar_width=24),
                TaskProgressColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.description}", markup=False),
                console=self.console,
            )
            self._live.add_task("", total=None)
            self._live.start()

    def show(self, step: int, total: int | None, line: str) -> None:
        if self._cell is not None:
            self._cell.update(step, total, line)
        elif self._live is not None:
            self._live.update(self._live.task_ids[0], completed=step, total=total, description=visible(line))
        elif time.monotonic() - self._last >= QUIET_EVERY:
            self._last = time.monotonic()
            self.say(f"step {step}/{total or '?'}  {line}")

    def stop(self) -> None:
        if self._live is not None:
            self._live.stop()
        self._live = self._cell = None


def number_table(rows: Sequence[Sequence[str]]) -> Table:
    """A table from a header and lines; all columns but the first are numbers."""
    head, *body = rows
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for i, name in enumerate(head):
        shown.add_column(escape(name), justify="right" if i else "left", no_wrap=True)
    for cells in body:
        shown.add_row(*map(escape, cells))
    return shown


def print_wide(table: Table) -> None:
    """Print a table without truncating cells, even on a narrow terminal."""
    console = Console()
    wide = console.options.update(max_width=1000)
    needed = Measurement.get(console, wide, table).maximum
    Console(width=max(console.width, needed), soft_wrap=True).print(table)


def line(samples: int, speed: float, left: float | None, means: Mapping[str, float]) -> str:
    """The live line: "12.8 kimg  2400/s  D 1.31  G 0.82  0:48 left"."""
    losses: dict[str, float] = {}
    for name, value in means.items():
        player, slash, _ = name.partition("/")
        if slash:
            losses[player] = losses.get(player, 0.0) + value
    parts = [f"{samples / 1000:.1f} kimg", f"{speed:.0f}/s"]
    parts += [f"{player} {value:.3f}" for player, value in losses.items()]
    parts += [f"{clock(left)} left"] if left is not None else []
    return "  ".join(parts)


def clock(seconds: float) -> str:
    """Seconds as 1:02:03 or 2:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
