"""Errors about a user's input."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable
from typing import Any


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
