"""Features of a net trained on ImageNet: which data are evaluated by them, and what they show that patches do not."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.datasets import load_sample_image

from sparring.console import Screen
from sparring.data import Items
from sparring.data.store import no_progress
from sparring.data.tensors import VALUES, concatenate
from sparring.evaluation.feature_judge import FeatureJudge
from sparring.evaluation.features import choose_features, default_features, missing_features
from sparring.evaluation.real import read
from sparring.evaluation.reference import Reference
from sparring.modalities import Images
from sparring.modalities.judge import TrainingData
from sparring.nets import efficientnet_lite

needs_weights = pytest.mark.skipif(not efficientnet_lite.installed(), reason="the extra 'pretrained' is not installed")
SIDE = 40
N = 48  # parts that are evaluated


def crops():
    """150 parts of two photographs of scikit-learn, without those that are almost uniform."""
    found = []
    for name in ("china.jpg", "flower.jpg"):
        photo = np.array(load_sample_image(name))[: 8 * SIDE, : 13 * SIDE]
        found.append(photo.reshape(8, SIDE, 13, SIDE, 3).swapaxes(1, 2).reshape(-1, SIDE, SIDE, 3))
    parts = np.concatenate(found)
    contrast = parts.std((1, 2)).mean(-1)
    return Items("crops", "images", parts[np.sort(np.argsort(contrast)[-150:])])


@pytest.fixture(scope="module")
def real():
    items = crops()
    return read(Images().fit(items), items)[0]


@pytest.mark.parametrize(
    ("size", "channels", "names"),
    [
        (32, 3, ("imagenet", "patches")),
        (64, 4, ("imagenet", "patches")),
        (64, 1, ("patches",)),
        (31, 3, ("patches",)),
    ],
)
def test_color_images_of_32_pixels_are_evaluated_by_them(size, channels, names):
    assert Images(size=size, channels=channels).evaluated_by == names
    assert Images(size=size, channels=channels).features_name == "patches"  # scores during training stay cheap


def test_they_are_the_default_where_they_are_installed(real, monkeypatch):
    monkeypatch.setattr(efficientnet_lite, "installed", lambda: True)
    assert default_features(real) == ["imagenet", "patches"]
    labeled = replace(real, modality=replace(real.modality, classes=("a", "b"), counts=(1, 1)))
    assert default_features(labeled) == ["classifier", "imagenet", "patches"]
    assert missing_features(real) == ""


def test_where_they_are_missing_one_line_says_so(real, monkeypatch, capsys):
    monkeypatch.setattr(efficientnet_lite, "installed", lambda: False)
    assert default_features(real) == ["patches"]
    training = TrainingData("crops", "crops", len(crops()), lambda *_: crops())
    for features, lines in (([], 1), (["patches"], 0)):
        FeatureJudge(real.modality, training, None, features, torch.device("cpu"), Screen())
        said = capsys.readouterr()
        assert (said.out + said.err).count("pip install 'sparring[pretrained]'") == lines


@needs_weights
def test_all_metrics_of_features_are_computed(reference):
    features, names = reference.features, {number.name for number in reference.floor}
    metrics = ("fid", "kid", "precision", "recall", "density", "coverage", "diversity", "memorization")
    assert names >= {f"{metric}[{f.name}]" for metric in metrics for f in features}
    assert [f.name for f in features] == ["imagenet", "patches"]


@pytest.fixture(scope="module")
def reference(real):
    features, _ = choose_features([], real, N, no_progress)
    return Reference(real, features, None, N)


def changes(reference, x):
    """Metrics of images, and those of undamaged ones."""
    numbers = reference.numbers(reference.statistics().add_all([({VALUES: x}, None)]))
    return {n.name: n.value for n in numbers}, {n.name: n.value for n in reference.floor}


def unseen(reference):
    return concatenate([batch for batch, _ in reference.real.batches(reference.unseen)])[VALUES]


@needs_weights
def test_undamaged_images_have_the_metrics_of_the_floor(reference):
    found, floor = changes(reference, unseen(reference))
    own = [name for name in floor if "imagenet" in name]
    assert {name: found[name] for name in own} == pytest.approx({name: floor[name] for name in own})
    assert floor["memorization[imagenet]"] == 0.5


@needs_weights
def test_mirrored_copies_are_recognized(reference):
    """In pixels and in patches they are as new as other images."""
    copied = reference.real.modality.scale(reference.real.data.part(VALUES, reference.rows[:N]))
    found, _ = changes(reference, copied.flip(-1))
    assert found["memorization[imagenet]"] > 0.7
    assert found["memorization[patches]"] < 0.6
    assert found["memorization"] < 0.6


@needs_weights
@pytest.mark.parametrize(
    "damage",
    [
        lambda x: torch.cat([x[..., : SIDE // 2], x.roll(1, 0)[..., SIDE // 2 :]], -1),
        lambda x: (x + 0.1 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))).clamp(-1, 1),
        lambda x: x[:6].repeat(N // 6, 1, 1, 1),
    ],
    ids=["right halves of other images", "noise", "six images"],
)
def test_damaged_images_are_farther_from_the_data(reference, damage):
    found, floor = changes(reference, damage(unseen(reference)))
    assert found["fid[imagenet]"] > 1.2 * floor["fid[imagenet]"]
    assert found["coverage[imagenet]"] < 0.9 * floor["coverage[imagenet]"]
