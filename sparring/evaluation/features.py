"""Features by name. The name is part of every number that is made with them."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from sparring.data.store import Progress
from sparring.data.tensors import VALUES, Tensors
from sparring.errors import InputError, nearest
from sparring.evaluation import classifier
from sparring.evaluation.real import Real
from sparring.nets import pretrained

NAMES = ("classifier", "coordinates", "dinov2", "inception", "patches")


@dataclass(frozen=True)
class Features:
    """What samples are compared by.

    Attributes:
        name: that numbers made with them bear.
        compute: samples (n, *shape) as nets see them -> (n, d).
    """

    name: str
    compute: Callable[[Tensors], Tensor]


def usual(real: Real) -> list[str]:
    """Names of the features that need nothing but the data themselves."""
    own = [real.modality.features_name]
    return ["classifier", *own] if _classified(real) else own


def _classified(real: Real) -> bool:
    return bool(real.modality.classes) and real.modality.kind == "images"


def chosen(
    names: Sequence[str], real: Real, n: int, progress: Progress
) -> tuple[list[Features], classifier.Classifier | None]:
    """Features for a data set, and its classifier where it has labels.

    Args:
        names: "classifier" (of the set's own labels), "patches" (random convolutions) or "coordinates" (points
            themselves), "inception", "dinov2", or the user's own: "FILE.py" or "FILE.py:NAME", a
            function that takes samples (n, *shape), pictures in [-1, 1], and gives (n, d). Where none are
            named, those that need nothing but the data, as `usual` says.
        n: samples that will be judged; the classifier does not learn from real items in their place.

    Raises:
        InputError: for a name that is not known or does not go with the data.
    """
    net = None
    if _classified(real):
        net = classifier.of(real, real.parts(n, len(real.data.train))[0], progress)
    found = [_named(name, real, net) for name in names or usual(real)]
    same = [f.name for f in found if [g.name for g in found].count(f.name) > 1]
    if same:
        raise InputError(f"features {same[0]!r} are given twice; numbers bear their name, so give each one of its own")
    return found, net


def _named(name: str, real: Real, net: classifier.Classifier | None) -> Features:
    if ".py" in name:
        return _own(name)
    if name not in NAMES:
        raise InputError(f"features {name!r} are not known; {nearest(name, NAMES)}, or give a FILE.py:FUNCTION")
    if name == "classifier":
        if net is None:
            raise InputError(f"features 'classifier' need pictures with labels, which {real.name!r} has not")
        return Features(name, lambda samples: net.features(samples[VALUES]))
    if name in ("inception", "dinov2"):
        if real.modality.kind != "images":
            raise InputError(f"features {name!r} are for pictures, and {real.name!r} holds {real.modality.kind}")
        load = pretrained.load(name)
        return Features(name, lambda samples: load(samples[VALUES]))
    if name != real.modality.features_name:
        raise InputError(f"features {name!r} are not for {real.modality.kind}; use {real.modality.features_name!r}")
    return Features(name, real.modality.features)


def _own(name: str) -> Features:
    """A function from a user's file."""
    file, _, function = name.partition(":")
    path = Path(file)
    function = function or path.stem
    spec = importlib.util.spec_from_file_location(f"features_{path.stem}", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise InputError(f"there is no file {file} with features")
    if function in NAMES:
        raise InputError(f"{name}: {function!r} is the name of other features; call the function something else")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise InputError(f"{file} cannot be imported: {type(error).__name__}: {error}") from error
    compute = getattr(module, function, None)
    if not callable(compute):
        raise InputError(f"{file} defines no function {function!r}; name it as FILE.py:FUNCTION")
    return Features(function, _checked(compute, name))


def _checked(compute: Callable[[Tensor], Tensor], name: str) -> Callable[[Tensors], Tensor]:
    def features(samples: Tensors) -> Tensor:
        x = samples[VALUES]
        found = compute(x)
        if not isinstance(found, Tensor) or found.ndim != 2 or len(found) != len(x):
            shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
            raise InputError(f"{name} gave {shape} for {len(x)} samples; features are a tensor (n, d)")
        return found

    return torch.no_grad()(features)
