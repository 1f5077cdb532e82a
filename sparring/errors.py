"""What is said to a user whose input cannot be used."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable
from typing import Any


class InputError(ValueError):
    """The user gave something that cannot work.

    The message is one line that repeats what was given, says what is wrong and what to do. The
    command line prints it and exits with status 2.
    """


def nearest(given: str, known: Iterable[str]) -> str:
    """The end of an error message about an unknown name: the closest known one, or all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(given, names, n=1)
    return f"did you mean {close[0]!r}?" if close else f"choose from {', '.join(names)}"


def needs(module: str, extra: str, does: str) -> Any:
    """A library that not everybody has installed.

    Args:
        extra: of Sparring, that brings it.
        does: what it does here, for the message.

    Raises:
        InputError: where it is not there.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InputError(f"{module} {does} and is not installed; pip install 'sparring[{extra}]'") from error
