"""Stacked-MNIST: three digits in three color channels, a thousand modes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import torch
from torch import Tensor

from sparring.bench.table import Column, Numbers, Plan, Published, Row, Table
from sparring.console import Screen
from sparring.data.tensors import VALUES
from sparring.evaluation.classifier import Classifier, classifier_of
from sparring.evaluation.real import Real, read
from sparring.metrics.classes import mode_coverage
from sparring.modalities import Images, find
from sparring.model import Model

SAMPLES = 26_000
MODES = 1000
COLUMNS = (Column("modes", ".4g"), Column("KL", ".3f"))


@lru_cache
def _digits() -> tuple[Real, Classifier]:
    """MNIST, and a classifier of its digits."""
    items = find("mnist")
    real, _ = read(Images().fit(items), items)
    return real, classifier_of(real, real.data.train)


def _numbers(batches: Iterable[Tensor], screen: Screen) -> Numbers:
    """Metrics of images (n, 3, 28, 28), from the digits that are recognized in their color channels."""
    counts = torch.zeros(MODES, dtype=torch.int64)
    screen.say("recognizing digits")
    _, net = _digits()
    for x in batches:
        digits = net.probabilities(x.cpu().flatten(0, 1)[:, None]).argmax(1).view(-1, 3)
        counts += torch.bincount(digits @ torch.tensor([100, 10, 1]), minlength=MODES)
    coverage = mode_coverage(counts)
    return {"modes": coverage.modes, "KL": coverage.kl}


def _measure(model: Model, _device: str, screen: Screen) -> Numbers:
    scale, unscale = model.modality.scale, model.modality.unscale
    return _numbers((scale(unscale(x[VALUES])) for x, _ in model.stream(SAMPLES, seed=0)), screen)


def _ideal(_device: str, screen: Screen) -> Numbers:
    """Metrics of held-out digits, stacked at random."""
    real, _ = _digits()
    chosen = torch.randint(len(real.data.held), (SAMPLES, 3), generator=torch.Generator().manual_seed(1))
    scale = real.modality.scale
    batches = (scale(real.data.part(VALUES, real.data.held[rows.flatten()])) for rows in torch.split(chosen, 500))
    return _numbers((x.view(-1, 3, *x.shape[2:]) for x in batches), screen)


STACKED_MNIST = Table(
    name="stacked-mnist",
    title="Stacked-MNIST, a thousand modes",
    protocol=(
        f"{SAMPLES:,} samples. A convolutional network that was trained on MNIST recognizes the digit in each of "
        "their three color channels. A mode, one of 1,000 numbers, is covered if it is recognized once. KL is the "
        "divergence of the numbers from the uniform distribution in nats, about 0.019 for a perfect sampler."
    ),
    data="stacked-mnist",
    columns=COLUMNS,
    published=(
        Published("DCGAN", {"modes": 99, "KL": 3.40}, "Srivastava et al. 2017, arXiv:1705.07761"),
        Published("Unrolled GAN", {"modes": 48.7, "KL": 4.32}, "Srivastava et al. 2017, arXiv:1705.07761"),
        Published("VEEGAN", {"modes": 150, "KL": 2.95}, "Srivastava et al. 2017, arXiv:1705.07761"),
        Published("PacDCGAN2", {"modes": 1000, "KL": 0.06}, "Lin et al. 2017, arXiv:1712.04086"),
        Published("StyleGAN2", {"modes": 940, "KL": 0.42}, "Huang et al. 2024, arXiv:2501.05441"),
        Published("R3GAN", {"modes": 1000, "KL": 0.029}, "Huang et al. 2024, arXiv:2501.05441"),
    ),
    rows=(Row("r3gan_strided"), Row("dcgan"), Row("r3gan")),
    plans={"cpu": Plan(1, {"time": "24m"}, ("r3gan_strided",)), "gpu": Plan(3, {"steps": 100_000})},
    measure=_measure,
    ideal=_ideal,
)
