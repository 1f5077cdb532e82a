"""Planted failures show in the metrics, each in the one that is meant for it."""

import hashlib
import urllib.error
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from sparring.data.store import no_progress
from sparring.data.tensors import VALUES, concatenate
from sparring.errors import InputError
from sparring.evaluation import classifier
from sparring.evaluation.baseline import NormalBaseline
from sparring.evaluation.features import Features, choose_features
from sparring.evaluation.findings import findings
from sparring.evaluation.real import read
from sparring.evaluation.reference import Reference
from sparring.evaluation.statistics import SampleStatistics
from sparring.modalities import Images, Points, find
from sparring.nets import pretrained

N = 180  # number of held-out digits


@pytest.fixture(scope="module")
def reference():
    items = find("digits")
    real, _ = read(Images().fit(items), items)
    return Reference(real, *choose_features([], real, N, no_progress), N)


@pytest.fixture(scope="module")
def held(reference):
    """Held-out digits, (180, 1, 8, 8), and their labels: as new and as diverse as samples can be."""
    batches = list(reference.real.batches(reference.unseen))
    return concatenate([x for x, _ in batches])[VALUES], torch.cat([y for _, y in batches])


def evaluated(reference, x, y):
    """Metrics of samples by name, and the names of findings."""
    samples = reference.statistics().add_all([({VALUES: x}, y)])
    numbers = reference.numbers(samples)
    return {n.name: n.value for n in numbers}, [f.name for f in findings(reference, samples, numbers, {})]


def test_a_perfect_generator(reference, held):
    """No findings, and every metric is that of the floor."""
    numbers, found = evaluated(reference, *held)
    assert found == []
    floor = {n.name: n.value for n in reference.floor}
    assert set(numbers) == set(floor) == {n.name for n in reference.baseline}
    same = set(numbers) - {"cas[classifier]"}  # its classifier is trained on other items here
    assert {name: numbers[name] for name in same} == pytest.approx({name: floor[name] for name in same})
    assert floor["memorization"] == 0.5
    assert floor["cas[classifier]"] > 0.9


def test_a_collapsed_generator(reference, held):
    """One sample of each class, with noise."""
    x, y = held
    one = torch.stack([x[y == label][0] for label in range(10)])
    noise = 0.05 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    numbers, found = evaluated(reference, one[y] + noise, y)
    assert found == ["mode collapse"]
    assert numbers["class_diversity[patches]"] < 0.5
    assert numbers["coverage[patches]"] < 0.5


def test_a_generator_that_covers_little(reference, held):
    """Three samples of each class, with noise: they differ from one another, but much of the data is unlike any."""
    x, y = held
    few = torch.stack([x[y == label][:3] for label in range(10)])
    noise = 0.05 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    numbers, found = evaluated(reference, few[y, torch.arange(len(y)) % 3] + noise, y)
    assert found == ["low coverage"]
    assert numbers["diversity[patches]"] > 0.5


def test_a_generator_that_copies(reference):
    rows = reference.rows[:N]
    numbers, found = evaluated(
        reference, reference.real.modality.scale(reference.real.data.part("values", rows)), reference.real.labels(rows)
    )
    assert found == ["copies"]
    assert numbers["memorization"] == 1
    assert numbers["near_copy_share"] == 1


def test_a_generator_that_drops_a_class(reference, held):
    x, y = held
    kept = y != 3
    numbers, found = evaluated(reference, x[kept], y[kept])
    assert found == ["missing classes"]
    assert numbers["class_imbalance[classifier]"] > 0.08
    assert numbers["classes_covered[classifier]"] >= 9


@pytest.mark.parametrize(
    ("fields", "advised"),
    [({}, False), ({"labels": None}, False), ({"labels": True}, False), ({"labels": False}, True)],
)
def test_advice_names_only_settings_that_the_recipe_has_and_that_are_not_set(reference, held, fields, advised):
    x, y = held
    samples = reference.statistics().add_all([({VALUES: x[y != 3]}, y[y != 3])])
    (found,) = findings(reference, samples, reference.numbers(samples), fields)
    assert ("labels=true" in found.advice) == advised


def test_a_generator_that_blurs(reference, held):
    x, y = held
    kernel = torch.tensor([0.2, 0.6, 0.2])
    blurred = F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), torch.outer(kernel, kernel)[None, None])
    numbers, found = evaluated(reference, blurred, y)
    assert found == ["worse than the baseline", "blurred"]
    assert numbers["sharpness"] < 0.7


def test_a_generator_that_leaves_a_checkerboard(reference, held):
    x, y = held
    place = torch.arange(8)
    board = (place[:, None] + place) % 2 * 2.0 - 1
    numbers, found = evaluated(reference, x + 0.5 * board, y)
    assert "noisy" in found  # in images this small, classes cannot be recognized anymore either
    assert numbers["sharpness"] > 1.5


def test_the_baseline_is_worse_than_real_data_and_better_than_noise(reference, held):
    floor, baseline = ({n.name: n.value for n in numbers} for numbers in (reference.floor, reference.baseline))
    noise, _ = evaluated(reference, torch.rand_like(held[0]) * 2 - 1, held[1])
    for name in ("fid[classifier]", "fid[patches]"):
        assert floor[name] < baseline[name] < noise[name]


def test_the_baseline_has_the_moments_of_the_data():
    items = find("ring")
    real, _ = read(Points().fit(items), items)
    x = concatenate([x for x, _ in NormalBaseline(real, real.data.train).batches(4000)])[VALUES]
    assert x.mean(0).abs().max() < 0.1
    assert torch.cov(x.T).numpy() == pytest.approx(np.eye(2), abs=0.1)


def test_memory_stays_flat(reference, monkeypatch):
    """The number of samples that are kept does not grow."""
    monkeypatch.setattr("sparring.evaluation.statistics.MAX_KEPT", 300)
    statistics = SampleStatistics(reference.features, reference.classifier, reference.real.modality, max_items=50)
    x = torch.rand(64, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    for _ in range(20):
        statistics.add({VALUES: x}, torch.zeros(64, dtype=torch.int64))
    assert statistics.n == 1280
    assert len(statistics.kept("patches")) == len(statistics.probabilities) == 300
    assert len(statistics.items) == len(statistics.labels) == 50
    assert statistics.items.dtype == torch.uint8


def test_the_classifier_is_deterministic_and_cached(reference, monkeypatch):
    real, rows = reference.real, reference.rows
    first = classifier.classifier_of(real, rows)
    monkeypatch.setattr(classifier, "train_classifier", lambda *_, **__: pytest.fail("trained again"))
    again = classifier.classifier_of(real, rows)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    x, y = real.modality.scale(real.data.part("values", reference.unseen)), real.labels(reference.unseen)
    assert classifier.accuracy(first, [({VALUES: x}, y)]) > 0.95


def test_floors_are_cached(reference, monkeypatch):
    floor = reference.floor
    fresh = Reference(reference.real, reference.features, reference.classifier, N)
    monkeypatch.setattr(fresh, "_floor", lambda: pytest.fail("computed again"))
    assert [str(n) for n in fresh.floor] == [str(n) for n in floor]


def test_statistics_of_the_real_set_are_cached(reference, held, monkeypatch):
    """They are the same from the cache; a damaged file is replaced."""
    numbers, _ = evaluated(reference, *held)
    fresh = Reference(reference.real, reference.features, reference.classifier, N)
    sizes = []
    batches = type(fresh.real).batches
    monkeypatch.setattr(
        type(fresh.real), "batches", lambda real, rows: (sizes.append(len(rows)), batches(real, rows))[1]
    )
    again, _ = evaluated(fresh, *held)
    assert again == numbers
    assert max(sizes) == N < len(reference.rows)  # the reference items were not read
    monkeypatch.undo()
    fresh._place("reference", "safetensors").write_bytes(b"damaged")
    assert (
        Reference(reference.real, reference.features, reference.classifier, N).real_statistics.n
        == reference.real_statistics.n
    )


def test_data_without_labels_or_without_much():
    """Only patches are used. There are too few held-out items, so training items are used in addition."""
    items = replace(find("digits"), labels=None, classes=())
    real, _ = read(Images().fit(items), items)
    features, net = choose_features([], real, 500, no_progress)
    assert [f.name for f in features] == ["patches"]
    assert net is None
    reference = Reference(real, features, net, 500)
    assert len(reference.unseen) == 500
    assert not set(reference.unseen.tolist()) & set(reference.rows.tolist())
    assert set(real.data.held.tolist()) <= set(reference.unseen.tolist())
    names = [n.name for n in reference.floor]
    assert "sharpness" in names
    assert not [name for name in names if "classifier" in name]


def test_points_have_no_sharpness():
    items = find("ring")
    real, _ = read(Points().fit(items), items)
    reference = Reference(real, *choose_features([], real, 300, no_progress), 300)
    assert {n.name for n in reference.floor} >= {"fid[coordinates]", "coverage[coordinates]", "memorization"}
    assert "sharpness" not in {n.name for n in reference.floor}


def test_points_that_are_copied():
    """However close points are to each other, copies are nearer to the training data."""
    items = find("ring")
    real, _ = read(Points().fit(items), items)
    reference = Reference(real, *choose_features([], real, 300, no_progress), 300)
    assert evaluated(reference, real.data.part("values", reference.rows[:300]), None)[0]["memorization"] == 1


def test_a_collapse_without_labels():
    items = replace(find("digits"), labels=None, classes=())
    real, _ = read(Images().fit(items), items)
    reference = Reference(real, *choose_features([], real, 200, no_progress), 200)
    x = real.modality.scale(real.data.part("values", real.data.held[:1])).expand(200, 1, 8, 8)
    noise = 0.05 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    assert evaluated(reference, x + noise, None)[1] == ["mode collapse"]


def test_another_network_of_the_same_name_is_not_confused_with_the_cached_one(reference):
    """Values of features are part of the cache's key."""

    def distance(scale):
        features = Features("net", lambda x: scale * x[VALUES].flatten(1)[:, 20:30])
        return Reference(reference.real, [features], None, N).floor[0].value

    assert distance(10.0) == pytest.approx(100 * distance(1.0), rel=1e-3)


def test_features_of_the_user(reference, tmp_path):
    (tmp_path / "mine.py").write_text(
        "def mine(x):\n    return x.flatten(1)[:, :5]\n\n\ndef wrong(x):\n    return x.sum()\n\n\npatches = mine\n"
    )
    features, _ = choose_features([f"{tmp_path}/mine.py", "patches"], reference.real, N, no_progress)
    assert [f.name for f in features] == ["mine", "patches"]
    with pytest.raises(InputError, match="features 'mine' are given twice"):
        choose_features([f"{tmp_path}/mine.py", f"{tmp_path}/mine.py:mine"], reference.real, N, no_progress)
    with pytest.raises(InputError, match="'patches' is the name of other features"):
        choose_features([f"{tmp_path}/mine.py:patches"], reference.real, N, no_progress)
    (tmp_path / "broken.py").write_text("import nothing_of_the_kind\n")
    with pytest.raises(InputError, match=r"broken\.py cannot be imported: broken\.py, line 1: ModuleNotFound"):
        choose_features([f"{tmp_path}/broken.py"], reference.real, N, no_progress)
    assert features[0].compute({VALUES: torch.zeros(3, 1, 8, 8)}).shape == (3, 5)
    (wrong,), _ = choose_features([f"{tmp_path}/mine.py:wrong"], reference.real, N, no_progress)
    with pytest.raises(InputError, match="wrong returned \\(\\) for 3 samples"):
        wrong.compute({VALUES: torch.zeros(3, 1, 8, 8)})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("patch", "images have no features 'patch'; did you mean 'patches'"),
        ("coordinates", "images have no features 'coordinates'; choose from classifier, dinov2"),
        ("none.py", "there is no file none.py with features"),
    ],
)
def test_unknown_features(reference, name, message):
    with pytest.raises(InputError, match=message):
        choose_features([name], reference.real, N, no_progress)


def test_missing_weights(reference, tmp_path, monkeypatch):
    """Offline, the error says which file to put where."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("SPARRING_DATA", raising=False)
    pretrained.load.cache_clear()

    def refuse(*_, **__):
        raise urllib.error.URLError("no network")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    with pytest.raises(InputError, match=f"no network.*put inception-2015-12-05.pt from https.* into {tmp_path}"):
        choose_features(["inception"], reference.real, N, no_progress)
    with pytest.raises(InputError, match=f"DINOv2 as TorchScript.*put dinov2.pt into {tmp_path}"):
        choose_features(["dinov2"], reference.real, N, no_progress)
    place = tmp_path / "sparring" / "weights" / "dinov2.pt"
    place.parent.mkdir(parents=True)
    torch.save({"weight": torch.zeros(1)}, place)
    with pytest.raises(InputError, match=r"dinov2\.pt is not DINOv2 as TorchScript"):
        choose_features(["dinov2"], reference.real, N, no_progress)


class Substitute(torch.nn.Module):
    """A substitute for Inception-v3: the mean of each color, for images of its size in [0, 255]."""

    def forward(self, x: torch.Tensor, return_features: bool = False) -> torch.Tensor:
        assert x.shape[1:] == (3, 299, 299)
        assert return_features
        return x.mean((2, 3))


def test_weights_that_the_user_provides(reference, tmp_path, monkeypatch):
    monkeypatch.setenv("SPARRING_DATA", str(tmp_path))
    (tmp_path / "weights").mkdir()
    place = tmp_path / "weights" / "inception-2015-12-05.pt"
    torch.jit.script(Substitute()).save(place)
    pretrained.load.cache_clear()
    with pytest.raises(InputError, match="is not Inception-v3 as TorchScript as published"):
        choose_features(["inception"], reference.real, N, no_progress)
    digest = hashlib.sha256(place.read_bytes()).hexdigest()
    monkeypatch.setitem(pretrained.FILES, "inception", replace(pretrained.FILES["inception"], sha256=digest))
    (inception,), _ = choose_features(["inception"], reference.real, N, no_progress)
    pretrained.load.cache_clear()
    gray, clear = torch.zeros(1, 1, 8, 8), torch.tensor([1.0, 0, 0, -1]).view(1, 4, 1, 1).expand(1, 4, 8, 8)
    assert inception.compute({VALUES: gray})[0].tolist() == pytest.approx([127.5] * 3)
    assert inception.compute({VALUES: clear})[0].tolist() == pytest.approx([255.0] * 3)  # transparent pixels are white


def test_data_that_do_not_fit_the_model():
    items = find("ring")
    with pytest.raises(InputError, match="'ring' holds points, but the model generates images"):
        read(Images(size=8, channels=1), items)
    digits = find("digits")
    other = Images(size=8, channels=1, classes=("cat", "dog"), counts=(5, 5))
    real, notes = read(other, digits)
    assert "labels are not used: the model was trained with other classes (cat, dog, ...)" in notes
    assert real.labels(real.data.train) is None
    features, net = choose_features([], real, 60, no_progress)
    assert "cas[classifier]" not in {n.name for n in Reference(real, features, net, 60).floor}
