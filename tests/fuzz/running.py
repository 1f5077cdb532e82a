"""Runs one case under limits, and says what is wrong with how it ended."""

from __future__ import annotations

import io
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cases import KINDS, Attempt

from sparring.errors import InputError

MAX_SECONDS = 20.0  # for one input
MAX_GROWTH = 2**21  # KiB by which one input may raise the highest use of memory; VP9 keeps 25 frames
MAX_ERROR_LINES = 4
ALLOWED = {"\n", "\t"}  # control characters of what is printed
HOSTILE = {"Cc", "Cs", "Zl", "Zp"}  # categories of other characters that a terminal must not get,
BIDI = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # and those that reorder text


class TimeLimit(BaseException):
    """An input takes too long. No command catches it."""


@dataclass(frozen=True)
class Case:
    """One input, which depends on nothing but these values."""

    kind: str
    seed: int
    index: int

    @property
    def replay(self) -> str:
        """The command that runs it again."""
        return f"python tests/fuzz --kind {self.kind} --seed {self.seed} --case {self.index}"


@dataclass(frozen=True)
class Outcome:
    """How a case ended.

    Attributes:
        what: "success", "refused", or what is wrong: "traceback", "hang", "memory", "status", "message", "escape".
        shown: the command, and what it printed to stderr.
        seconds: how long it took.
    """

    what: str
    shown: str
    seconds: float

    @property
    def good(self) -> bool:
        return self.what in ("success", "refused")


def run(case: Case, models: Path) -> Outcome:
    """Run a case in a folder of its own.

    Args:
        models: folder that `corpus.train_models` made.
    """
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with _own_folder(), _patched():
        attempt = KINDS[case.kind](random.Random(f"{case.kind}:{case.seed}:{case.index}"), models)
        what, shown = _ended(attempt)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    if grown > MAX_GROWTH:
        what, shown = "memory", f"{grown // 2**10} MiB more\n{shown}"
    named = " ".join(map(ascii, attempt)) if isinstance(attempt, list) else "in process"
    return Outcome(what, f"{named[:600]}\n{shown}", time.perf_counter() - began)


@contextmanager
def _own_folder() -> Iterator[None]:
    before, folder = Path.cwd(), tempfile.mkdtemp()
    inner = Path(folder) / "in" / "here"  # so that .. and ../.. hold nothing of others
    inner.mkdir(parents=True)
    os.chdir(inner)
    try:
        yield
    finally:
        os.chdir(before)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _patched() -> Iterator[None]:
    """Slow things that a case is not about are left out."""
    from sparring.training import watch

    before = watch.curves
    watch.curves = lambda *_: b""
    try:
        yield
    finally:
        watch.curves = before


def _ended(attempt: Attempt) -> tuple[str, str]:
    """What is wrong with how an attempt ended, and what it printed to stderr."""
    with _captured() as (out, err):
        try:
            status: Any = _limited(attempt)
            trace = ""
        except TimeLimit as error:
            status, trace = "hang", "".join(traceback.format_exception(error)[-12:])
        except BaseException as error:
            status, trace = "traceback", "".join(traceback.format_exception(error)[-12:])
    printed, errors = out.getvalue(), err.getvalue()
    return _judged(status, printed, errors), errors[-3000:] + trace


def _judged(status: Any, printed: str, errors: str) -> str:
    # libtiff, a C library below Pillow, prints lines of its own about damaged files.
    lines = [line for line in errors.strip().splitlines() if "TIFF" not in line or line.startswith("sparring: ")]
    if status in ("hang", "traceback"):
        return str(status)
    if "Traceback (most recent" in errors:
        return "traceback"
    if status not in (0, 2):
        return "status"
    if any((unicodedata.category(c) in HOSTILE and c not in ALLOWED) or c in BIDI for c in printed + errors):
        return "escape"
    said = bool(lines) and lines[-1].startswith("sparring: ") and len(lines) <= MAX_ERROR_LINES
    if status == 2 and not (said and len(lines[-1]) > len("sparring: ")):
        return "message"
    return "success" if status == 0 else "refused"


def _limited(attempt: Attempt) -> int:
    """The exit status of an attempt that may not take too long."""

    late = []

    def stop(*_: object) -> None:
        late.append(TimeLimit(f"not done after {MAX_SECONDS:g} s"))
        raise late[0]

    handler = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, MAX_SECONDS)
    try:
        status = _status(attempt)
        if late:  # what ends a user's own code is caught, whatever it is
            raise late[0]
        return status
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)


def _status(attempt: Attempt) -> int:
    from sparring.cli import main

    if not isinstance(attempt, list):
        try:
            attempt()
        except InputError as error:
            print(f"sparring: {str(error)!a}", file=sys.stderr)
            return 2
        return 0
    before, sys.argv = sys.argv, ["sparring", *attempt]
    try:
        main()
    except SystemExit as error:
        return 0 if error.code is None else error.code  # type: ignore[return-value]
    finally:
        sys.argv = before
    return 0


@contextmanager
def _captured() -> Iterator[tuple[io.StringIO, io.StringIO]]:
    """What is printed, by Python and by libraries in C."""
    out, err = io.StringIO(), io.StringIO()
    sys.stdout.flush(), sys.stderr.flush()
    before, kept = (sys.stdout, sys.stderr), (os.dup(1), os.dup(2))
    with tempfile.TemporaryFile() as first, tempfile.TemporaryFile() as second:
        os.dup2(first.fileno(), 1), os.dup2(second.fileno(), 2)
        sys.stdout = io.TextIOWrapper(os.fdopen(os.dup(1), "wb"), encoding="utf-8", write_through=True)
        sys.stderr = io.TextIOWrapper(
            os.fdopen(os.dup(2), "wb"), encoding="utf-8", errors="backslashreplace", write_through=True
        )
        try:
            yield out, err
        finally:
            sys.stdout.close(), sys.stderr.close()
            sys.stdout, sys.stderr = before
            for number, saved in zip((1, 2), kept, strict=True):
                os.dup2(saved, number), os.close(saved)
            for file, text in ((first, out), (second, err)):
                file.seek(0)
                text.write(file.read().decode("utf-8", "surrogateescape"))
