"""Helpers for the functions that Gradio calls when a user does something."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from typing import Any, TypeVar

import gradio as gr

from sparring.errors import InputError

MAX_SEED = 2**32 - 1
ERROR_TITLE = "This does not work"
# Arguments of every `gr.render`. Each adds its handlers to one dictionary of the visitor, in its own thread. Two at
# once, as when a page is opened, may give two handlers the same number, and one of them is lost. Every handler that is
# made in one has a `key`: its number stays the same when it is made again, so that a click in between finds it.
ONE_RENDER: dict[str, Any] = {"concurrency_limit": 1, "concurrency_id": "render"}

F = TypeVar("F", bound=Callable[..., Any])


def shows_errors(function: F) -> F:
    """A handler whose input errors appear on the page as one line.

    Args:
        function: a function, or one whose first arguments are bound by `functools.partial`.
    """

    def handler(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except InputError as error:
            raise gr.Error(str(error), title=ERROR_TITLE, print_exception=False) from error
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            reason = f"{where}{(error.strerror or str(error)).lower()}"
            raise gr.Error(reason, title=ERROR_TITLE, print_exception=False) from error

    # Gradio finds parameters such as `gr.EventData` by their annotations, which a partial function does not have.
    unbound = function.func if isinstance(function, functools.partial) else function
    handler.__annotations__ = typing.get_type_hints(unbound)
    handler.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    return handler  # type: ignore[return-value]


def whole_number(value: float | None, name: str, low: int = 0, high: int = MAX_SEED) -> int:
    """A number from a form.

    Raises:
        InputError: if it is missing, not a whole number or out of range.
    """
    if value is None or int(value) != value or not low <= value <= high:
        given = "nothing" if value is None else f"{value:g}"
        raise InputError(f"{name} is {given}; give a whole number from {low:,} to {high:,}")
    return int(value)
