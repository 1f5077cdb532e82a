"""One file per published system; the modules of this package are the registry."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from sparring.data import Items
from sparring.errors import OWN_MODULE, InputError, nearest, own_code
from sparring.files import resolved
from sparring.modalities import Modality, kind_of, kinds
from sparring.recipes.base import Recipe


def names() -> list[str]:
    return list(_modules())


@lru_cache
def _modules() -> tuple[str, ...]:
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg))


def find(name: str) -> Recipe[Any]:
    """The recipe with a name, or the one in a user's own `.py` file, with its default fields.

    Raises:
        InputError: if there is none, or the file cannot be imported or does not define a usable one.
    """
    if name.endswith(".py"):
        path = Path(name)
        if not path.is_file():
            raise InputError(f"there is no recipe file {path}")
        return _only(_imported(resolved(path), path.stat().st_mtime_ns), name)
    known = name.replace("-", "_").lower()
    if known not in names():
        raise InputError(f"there is no recipe {name!r}; {nearest(known, names())}")
    return _only(importlib.import_module(f"{__name__}.{known}"), name)


@lru_cache
def _imported(path: Path, _modified: int) -> ModuleType:
    """The module in a file; the same one until the file changes, so that its classes stay the same."""
    name = f"{OWN_MODULE}{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InputError(f"there is no recipe file {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look up their own module there
    with own_code(str(path), "the recipe file cannot be imported: "), _importable(path.parent):
        spec.loader.exec_module(module)
    return module


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """While active, a file can import others of its folder, as a script can. Nothing is written into that folder: it
    may be a signed model's, in which every further file is refused.
    """
    writes = sys.dont_write_bytecode
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = writes
        sys.path.remove(str(folder))


def _only(module: ModuleType, name: str) -> Recipe[Any]:
    """The recipe that a module defines."""
    classes = [
        value
        for _, value in inspect.getmembers(module, inspect.isclass)
        if issubclass(value, Recipe) and value.__module__ == module.__name__ and not inspect.isabstract(value)
    ]
    if len(classes) != 1:
        abstract = [
            f"{value.__name__} lacks {', '.join(sorted(value.__abstractmethods__))}"
            for _, value in inspect.getmembers(module, inspect.isabstract)
            if issubclass(value, Recipe) and value.__module__ == module.__name__
        ]
        unfinished = f" ({'; '.join(abstract)})" if abstract and not classes else ""
        raise InputError(f"{name} defines {len(classes)} recipes{unfinished}; a recipe file must define exactly one")
    if vars(classes[0]).get("__annotations__") and "__dataclass_fields__" not in vars(classes[0]):
        raise InputError(f"{name}: write @dataclass(frozen=True) above class {classes[0].__name__}, as it has fields")
    if problem := _problem(getattr(classes[0], "takes", ())):
        raise InputError(f"{name}: {problem}")
    with own_code(str(module.__file__)):
        recipe: Recipe[Any] = classes[0]()
    return recipe


def _problem(takes: Any) -> str:
    """What is wrong with the modalities that a recipe takes, or ""."""
    if not isinstance(takes, tuple) or not takes:
        return f"takes is {takes!r}; give a tuple of the modalities that it is trained on, such as (Images(),)"
    for modality in takes:
        kind = modality if inspect.isclass(modality) else type(modality)
        if not issubclass(kind, Modality):
            return f"takes holds {modality!r}, which is not a modality; give one, such as Images()"
        if missing := [name for name in ("kind", "words", "features_name") if not hasattr(kind, name)]:
            return f"{kind.__name__} does not declare {', '.join(missing)}"
        if inspect.isclass(modality):
            return f"takes holds the class {kind.__name__}; give an instance: {kind.__name__}()"
    return ""


def choose(items: Items, device: str, seconds: float | None = None) -> tuple[Recipe[Any], str]:
    """The recipe that fits the data, the device and the training time, and the reason, for the user.

    Args:
        device: its type, such as "cpu".
        seconds: training time, if it is known.

    Raises:
        InputError: if no kind of data recommends one.
    """
    proposed = [kind.recommend(items, device, seconds) for kind in kinds() if kind.accepts(items)]
    recommended = [recommendation for recommendation in proposed if recommendation is not None]
    if not recommended:
        words = kind_of(items).words.items
        raise InputError(f"no recipe is recommended for {words} such as those of {items.name!r}; give one by --recipe")
    best = max(recommended, key=lambda recommendation: recommendation.priority)
    return find(best.recipe).set(best.fields), best.why
