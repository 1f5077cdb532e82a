"""The ring of 8 and the grid of 25 Gaussians, where GANs drop modes."""

from __future__ import annotations

from functools import partial

import numpy as np

from sparring.bench.table import Column, Numbers, Plan, Published, Row, Table
from sparring.console import Screen
from sparring.metrics.modes import Modes, modes
from sparring.modalities.points import mixtures
from sparring.modalities.points.mixtures import Mixture
from sparring.model import Model

SAMPLES = 2500
PACGAN = "Lin et al. 2017, arXiv:1712.04086"
COLUMNS = (
    Column("modes", ".1f"), Column("high quality", ".1%"), Column("reverse KL", ".3f"), Column("spread", ".2f"),
    Column("width", ".2f"),
)  # fmt: skip
PROTOCOL = (
    f"{SAMPLES:,} samples. A mode is covered if a sample is within three standard deviations of its center. high "
    "quality is the share of samples that are, 98.9% for a perfect sampler. reverse KL is the divergence of their "
    "modes from the uniform distribution in nats. spread is their standard deviation around the centers, relative to "
    "the true one within three deviations; width is the same around the mean of each mode's samples, so that a "
    "narrow mode next to its center has spread but no width. The protocol is PacGAN's, which does not include the "
    "last two."
)


def _numbers(samples: np.ndarray, mixture: Mixture) -> Numbers:
    coverage: Modes = modes(samples.astype(float), mixture.centers, mixture.sd)
    values = (coverage.hit, coverage.quality, coverage.kl, coverage.spread, coverage.width)
    return dict(zip((column.name for column in COLUMNS), values, strict=True))


def _measure(mixture: Mixture, model: Model, _device: str, _screen: Screen) -> Numbers:
    return _numbers(model.sample(SAMPLES, seed=0).items, mixture)


def _ideal(mixture: Mixture, _device: str, _screen: Screen) -> Numbers:
    """Metrics of samples of the mixture itself."""
    return _numbers(mixture.draw(SAMPLES, seed=1), mixture)


def _published(name: str, modes: float, quality: float, kl: float | None) -> Published:
    numbers = {"modes": modes, "high quality": quality} | ({} if kl is None else {"reverse KL": kl})
    return Published(name, numbers, PACGAN)


def _table(name: str, title: str, mixture: Mixture, published: tuple[Published, ...]) -> Table:
    return Table(
        name=name,
        title=title,
        protocol=PROTOCOL,
        data=name,
        columns=COLUMNS,
        published=published,
        rows=(Row("gan"), Row("unrolled"), Row("pacgan"), Row("mgan"), Row("r3gan_mlp")),
        plans={"cpu": Plan(10, rows=("r3gan_mlp",)), "gpu": Plan(10, {"steps": 100_000})},
        measure=partial(_measure, mixture),
        ideal=partial(_ideal, mixture),
    )


RING = _table(
    "ring",
    "The ring of 8 Gaussians",
    mixtures.RING,
    (
        _published("GAN", 6.3, 0.982, 0.45),
        _published("VEEGAN", 8.0, 0.529, None),
        _published("PacGAN2", 7.9, 0.956, 0.07),
        _published("PacGAN4", 7.8, 0.959, 0.07),
    ),
)
GRID = _table(
    "grid",
    "The grid of 25 Gaussians",
    mixtures.GRID,
    (
        _published("GAN", 17.3, 0.948, 0.70),
        _published("VEEGAN", 24.6, 0.40, None),
        _published("PacGAN2", 23.8, 0.913, 0.13),
        _published("PacGAN4", 24.8, 0.936, 0.04),
    ),
)
