"""Agreement of InfoGAN's categorical code with the digits, whose labels it does not use."""

from __future__ import annotations

from functools import lru_cache

import torch

from sparring.bench.table import Column, Numbers, Plan, Published, Row, Table
from sparring.console import Screen
from sparring.data.tensors import VALUES
from sparring.evaluation.classifier import accuracy, classifier_of
from sparring.evaluation.real import Real, read
from sparring.games.gan import GAN
from sparring.games.terms import Read
from sparring.metrics.matching import agreement
from sparring.modalities import Images, find
from sparring.model import Model


@lru_cache
def _digits() -> Real:
    items = find("mnist")
    return read(Images().fit(items), items)[0]


@torch.no_grad()
def _measure(model: Model, _device: str, _screen: Screen) -> Numbers:
    """Agreement on held-out digits, with the code that D reads from each."""
    real, game = _digits(), model.game
    assert isinstance(game, GAN)
    (term,) = [term for term in game.terms if isinstance(term, Read) and term.one_hot]
    codes = [
        term.reader(game.D.features(x[VALUES].to(model.device))).argmax(1) for x, _ in real.batches(real.data.held)
    ]
    labels = real.labels(real.data.held)
    assert labels is not None
    return {"agreement": agreement(torch.cat(codes).cpu().numpy(), labels.numpy())}


def _ideal(_device: str, _screen: Screen) -> Numbers:
    """Accuracy of a classifier that is trained with labels."""
    real = _digits()
    return {"agreement": accuracy(classifier_of(real, real.data.train), real.batches(real.data.held))}


MNIST_CODES = Table(
    name="mnist-codes",
    title="InfoGAN's categorical code and the digits",
    protocol=(
        "The code with ten values is read from 10,000 held-out digits. Agreement is the share of digits whose code is "
        "their class, under the assignment of codes to classes that maximizes it. InfoGAN uses no labels. Real data: a "
        "classifier that is trained with labels."
    ),
    data="mnist",
    columns=(Column("agreement", ".1%"),),
    published=(Published("InfoGAN", {"agreement": 0.95}, "Chen et al. 2016, arXiv:1606.03657, sec. 7.2"),),
    rows=(Row("infogan"), Row("infogan", {"invariance": 0.0, "tilted": False}, "with the paper's terms only")),
    plans={"cpu": Plan(3, {"time": "6m"}, ("infogan",)), "gpu": Plan(3, {"time": "5m"})},
    measure=_measure,
    ideal=_ideal,
)
