"""Functions in users' own files."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sparring.errors import InputError, own_code


def own_function(given: str, holds: str) -> Callable[..., Any]:
    """The function that a user names as FILE.py:FUNCTION, or FILE.py if it is named as the file. The file is run.

    Args:
        given: as it was typed.
        holds: what the file should hold, for messages.

    Raises:
        InputError: if there is no such file or function, or the file cannot be imported.
    """
    file, _, name = given.partition(":")
    path = Path(file)
    name = name or path.stem
    spec = importlib.util.spec_from_file_location(f"{holds.replace(' ', '_')}_{path.stem}", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise InputError(f"there is no file {file} with {holds}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    with own_code(str(path.absolute()), f"{file} cannot be imported: "):
        spec.loader.exec_module(module)
    function: Callable[..., Any] | None = getattr(module, name, None)
    if not callable(function):
        raise InputError(f"{file} defines no function {name!r}; name one as FILE.py:FUNCTION")
    return function
