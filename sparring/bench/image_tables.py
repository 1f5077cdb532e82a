"""MNIST and Fashion-MNIST: every recipe for images, for the same time on the same device."""

from __future__ import annotations

from functools import lru_cache, partial

from sparring.bench.table import Column, Numbers, Plan, Row, Table
from sparring.console import Screen
from sparring.devices import resolve
from sparring.evaluation.feature_judge import reference_of, with_classes
from sparring.evaluation.real import read
from sparring.evaluation.reference import Reference
from sparring.metrics.results import Number
from sparring.modalities import Images, find
from sparring.model import Model

SAMPLES = 5000
COLUMNS = (
    Column("fid[classifier]", ".2f"), Column("fid[patches]", ".3f"), Column("precision[classifier]", ".1%"),
    Column("coverage[classifier]", ".1%"), Column("class_diversity[patches]", ".2f"),
    Column("conditional_accuracy[classifier]", ".1%"), Column("cas[classifier]", ".1%"),
    Column("near_copy_share", ".1%"),
    Column("samples/s", ",.0f"),
)  # fmt: skip
ROWS = (
    Row("gan", note="the GAN of 2014 as in most tutorials"),
    Row("gan_leaky", note="a variant from tutorials"),
    Row("gan_sigmoid", note="a variant from tutorials"),
    Row("dcgan"),
    Row("lsgan"),
    Row("wgan"),
    Row("wgan_gp"),
    Row("dragan"),
    Row("improved_gan"),
    Row("unrolled"),
    Row("pacgan"),
    Row("mgan"),
    Row("cgan"),
    Row("acgan"),
    Row("infogan", note="without labels"),
    Row("vae", note="not a GAN, for comparison"),
    Row("vaegan"),
    Row("latent", note="a GAN in an autoencoder's codes"),
    Row("sngan", {"G": 16, "D": 16}, "narrow, for a CPU"),
    Row("densegan", {"G": 64, "D": 8, "growth": 8}, "narrow, for a CPU"),
    Row("stylegan2", {"base": 512, "most": 64}, "narrow, for a CPU"),
    Row("fastgan", note="designed for about a hundred images"),
    Row("lightweight", note="the generator of lightweight-gan"),
    Row("projected", note="on features of a net trained on ImageNet"),
    Row("dpgan", note="with differential privacy, epsilon 8"),
    Row("r3gan", note="residual nets"),
    Row("r3gan_strided", note="the default"),
)


@lru_cache
def _reference(data: str, device: str, screen: Screen) -> Reference:
    items = find(data)
    real, _ = read(Images().fit(items), items)
    return reference_of(real, SAMPLES, (), resolve(device), screen)


def _columns(numbers: list[Number]) -> Numbers:
    values = {number.name: number.value for number in numbers}
    return {column.name: values[column.name] for column in COLUMNS if column.name in values}


def _measure(data: str, model: Model, device: str, screen: Screen) -> Numbers:
    reference = _reference(data, device, screen)
    batches = with_classes(model.modality, model.stream(SAMPLES, seed=0))
    return _columns(reference.numbers(reference.statistics().add_all(batches))) | {"samples/s": model.speed}


def _ideal(data: str, device: str, screen: Screen) -> Numbers:
    return _columns(_reference(data, device, screen).floor)


def _table(name: str, title: str) -> Table:
    return Table(
        name=name,
        title=title,
        protocol=(
            f"{SAMPLES:,} samples with the data's labels compared with 50,000 training images. Real data: {SAMPLES:,} "
            "of the set's test images in place of samples. [The metrics](../judging.md); samples/s is the speed of "
            "training."
        ),
        data=name,
        columns=COLUMNS,
        published=(),
        rows=ROWS,
        plans={"cpu": Plan(1, {"time": "2m"}), "gpu": Plan(3, {"time": "10m"})},
        measure=partial(_measure, name),
        ideal=partial(_ideal, name),
    )


MNIST = _table("mnist", "MNIST, every recipe for the same time")
FASHION_MNIST = _table("fashion-mnist", "Fashion-MNIST, every recipe for the same time")
