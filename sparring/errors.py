"""Errors about a user's input."""

from __future__ import annotations

import difflib
import importlib
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

OWN_MODULE = "recipe_"  # at the beginning of the names of modules that are the user's recipe files


class InputError(ValueError):
    """The user's input cannot be used.

    The message is one line that repeats what was given, says what is wrong and what to do. The
    command line prints it and exits with status 2.
    """


def nearest(given: str, known: Iterable[str]) -> str:
    """The end of an error message about an unknown name: the closest known one, or all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(given, names, n=1)
    return f"did you mean {close[0]!r}?" if close else f"choose from {', '.join(names)}"


def similar_path(path: Path, fits: Callable[[Path], bool] = Path.exists) -> str:
    """The end of an error message about a path that does not exist: one beside it with almost the same name, or "".

    Args:
        fits: whether a path beside it may be proposed.
    """
    folder = path.parent
    try:
        names = [entry.name for entry in folder.iterdir() if fits(entry)]
    except OSError:
        return ""
    close = difflib.get_close_matches(path.name, names, n=1)
    return f"; did you mean {str(folder / close[0])!r}?" if close and not path.exists() else ""


def one_line(error: BaseException) -> str:
    """The first line of an error's message, or its type if it has none."""
    try:
        message = str(error)
    except Exception:  # of a user's own class of errors
        message = ""
    return message.strip().partition("\n")[0] or type(error).__name__


@contextmanager
def own_code(file: str, before: str = "", after: str = "") -> Iterator[None]:
    """Turns any error of a user's own code, and its attempts to end the process, into an `InputError` that names the
    line.

    Args:
        file: path of the user's file.
        before, after: put around the message.
    """
    try:
        yield
    except (InputError, KeyboardInterrupt):
        raise
    except BaseException as error:  # such as of sys.exit
        raise InputError(f"{before}{located(error, file)}{after}") from error


def own_file(error: BaseException) -> str:
    """The user's recipe file whose code raised an error, or called what raised it; "" if there is none."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    files = [f.f_code.co_filename for f in frames if str(f.f_globals.get("__name__")).startswith(OWN_MODULE)]
    return files[-1] if files else ""


def located(error: BaseException, file: str) -> str:
    """An error of a user's own code on one line: the file, the line in it if that is known, and the first line of the
    message.

    Args:
        file: path of the user's file.
    """
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    line, first = lines[-1] if lines else None, one_line(error)
    if isinstance(error, SyntaxError):
        line, first = error.lineno, error.msg
    return f"{Path(file).name}{f', line {line}' if line else ''}: {type(error).__name__}: {first}"


def needs(module: str, extra: str, does: str) -> Any:
    """An optional library.

    Args:
        extra: the extra of Sparring that installs it.
        does: what it is needed for, for the message.

    Raises:
        InputError: if it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InputError(f"{module} {does} and is not installed; pip install 'sparring[{extra}]'") from error
