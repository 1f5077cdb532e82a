"""Planted failures are seen by the numbers, each by the one that is meant for it."""

import hashlib
import urllib.error
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from sparring.errors import InputError
from sparring.evaluation import classifier
from sparring.evaluation.baseline import Normal
from sparring.evaluation.features import chosen
from sparring.evaluation.findings import findings
from sparring.evaluation.real import read
from sparring.evaluation.reference import Reference
from sparring.evaluation.statistics import SampleStatistics
from sparring.modalities import Images, Points, find
from sparring.nets import pretrained as weights

N = 180  # as many as are held out


def unseen(*_):
    pass


@pytest.fixture(scope="module")
def against():
    items = find("digits")
    real, _ = read(Images().fit(items), items)
    return Reference(real, *chosen([], real, N, unseen), N)


@pytest.fixture(scope="module")
def held(against):
    """Held-out digits, (180, 1, 8, 8), and their labels: as new and as various as samples could be."""
    parts = list(against.real.batches(against.apart))
    return tuple(torch.cat(part) for part in zip(*parts, strict=True))


def judged(against, x, y):
    seen = against.seen().all([(x, y)])
    numbers = against.numbers(seen)
    return {n.name: n.value for n in numbers}, [f.name for f in findings(against, seen, numbers)]


def test_a_perfect_generator(against, held):
    """Nothing stands out, and every number is that of the floor."""
    numbers, found = judged(against, *held)
    assert found == []
    floor = {n.name: n.value for n in against.floor}
    assert set(numbers) == set(floor) == {n.name for n in against.baseline}
    same = set(numbers) - {"cas[classifier]"}  # which learns from other items here
    assert {name: numbers[name] for name in same} == pytest.approx({name: floor[name] for name in same})
    assert floor["memorised"] == 0.5
    assert floor["cas[classifier]"] > 0.9


def test_a_collapsed_generator(against, held):
    """One sample of each class, in noise."""
    x, y = held
    one = torch.stack([x[y == label][0] for label in range(10)])
    noise = 0.05 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    numbers, found = judged(against, one[y] + noise, y)
    assert found == ["mode collapse"]
    assert numbers["class diversity[patches]"] < 0.5
    assert numbers["coverage[patches]"] < 0.5


def test_one_that_copies(against):
    rows = against.rows[:N]
    numbers, found = judged(
        against, against.real.modality.scale(against.real.data.part("values", rows)), against.real.labels(rows)
    )
    assert found == ["copies"]
    assert numbers["memorised"] == 1
    assert numbers["near copies"] == 1


def test_one_that_drops_a_class(against, held):
    x, y = held
    kept = y != 3
    numbers, found = judged(against, x[kept], y[kept])
    assert found == ["classes are missing"]
    assert numbers["imbalance[classifier]"] > 0.08
    assert numbers["classes[classifier]"] >= 9


def test_one_that_blurs(against, held):
    x, y = held
    kernel = torch.tensor([0.2, 0.6, 0.2])
    blurred = F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), torch.outer(kernel, kernel)[None, None])
    numbers, found = judged(against, blurred, y)
    assert found == ["blurred"]
    assert numbers["sharpness"] < 0.7


def test_one_that_leaves_a_checkerboard(against, held):
    x, y = held
    place = torch.arange(8)
    board = (place[:, None] + place) % 2 * 2.0 - 1
    numbers, found = judged(against, x + 0.5 * board, y)
    assert "noisy" in found  # beside classes that cannot be read any more on pictures as small
    assert numbers["sharpness"] > 1.5


def test_the_baseline_is_worse_than_real_data_and_better_than_noise(against, held):
    floor, baseline = ({n.name: n.value for n in numbers} for numbers in (against.floor, against.baseline))
    noise, _ = judged(against, torch.rand_like(held[0]) * 2 - 1, held[1])
    for name in ("fid[classifier]", "fid[patches]"):
        assert floor[name] < baseline[name] < noise[name]


def test_the_baseline_has_the_datas_moments():
    items = find("ring")
    real, _ = read(Points().fit(items), items)
    x = torch.cat([x for x, _ in Normal(real, real.data.train).batches(4000)])
    assert x.mean(0).abs().max() < 0.1
    assert torch.cov(x.T).numpy() == pytest.approx(np.eye(2), abs=0.1)


def test_memory_stays_flat(against, monkeypatch):
    """Whatever the number of samples, no more are kept."""
    monkeypatch.setattr("sparring.evaluation.statistics.KEPT", 300)
    seen = SampleStatistics(against.features, against.classifier, against.real.modality, items=50)
    x = torch.rand(64, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    for _ in range(20):
        seen.add(x, torch.zeros(64, dtype=torch.int64))
    assert seen.n == 1280
    assert len(seen.kept("patches")) == len(seen.probabilities) == 300
    assert len(seen.items) == len(seen.labels) == 50
    assert seen.items.dtype == torch.uint8


def test_the_classifier_is_deterministic_and_cached(against, monkeypatch):
    real, rows = against.real, against.rows
    first = classifier.of(real, rows)
    monkeypatch.setattr(classifier, "fitted", lambda *_, **__: pytest.fail("trained again"))
    again = classifier.of(real, rows)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    x, y = real.modality.scale(real.data.part("values", against.apart)), real.labels(against.apart)
    assert classifier.accuracy(first, [(x, y)]) > 0.95


def test_floors_are_cached(against, monkeypatch):
    known = against.floor
    fresh = Reference(against.real, against.features, against.classifier, N)
    monkeypatch.setattr(fresh, "_floor", lambda: pytest.fail("computed again"))
    assert [str(n) for n in fresh.floor] == [str(n) for n in known]


def test_statistics_of_the_real_set_are_cached(against, held, monkeypatch):
    """And are the same from the cache; a damaged one is made anew."""
    numbers, _ = judged(against, *held)
    fresh = Reference(against.real, against.features, against.classifier, N)
    looked = []
    batches = type(fresh.real).batches
    monkeypatch.setattr(
        type(fresh.real), "batches", lambda real, rows: (looked.append(len(rows)), batches(real, rows))[1]
    )
    again, _ = judged(fresh, *held)
    assert again == numbers
    assert max(looked) == N < len(against.rows)  # never at all that samples are held against
    monkeypatch.undo()
    fresh._place("reference", "safetensors").write_bytes(b"damaged")
    assert Reference(against.real, against.features, against.classifier, N).reference.n == against.reference.n


def test_data_without_labels_or_without_much():
    """Patches alone; what is held out is too little, and training items stand in."""
    items = replace(find("digits"), labels=None, classes=())
    real, _ = read(Images().fit(items), items)
    features, net = chosen([], real, 500, unseen)
    assert [f.name for f in features] == ["patches"]
    assert net is None
    against = Reference(real, features, net, 500)
    assert len(against.apart) == 500
    assert not set(against.apart.tolist()) & set(against.rows.tolist())
    assert set(real.data.held.tolist()) <= set(against.apart.tolist())
    names = [n.name for n in against.floor]
    assert "sharpness" in names
    assert not [name for name in names if "classifier" in name]


def test_points_have_no_sharpness():
    items = find("ring")
    real, _ = read(Points().fit(items), items)
    against = Reference(real, *chosen([], real, 300, unseen), 300)
    assert {n.name for n in against.floor} >= {"fid[coordinates]", "coverage[coordinates]", "memorised"}
    assert "sharpness" not in {n.name for n in against.floor}


def test_points_that_copy():
    """However close points lie to one another, copies are nearer to what was trained on."""
    items = find("ring")
    real, _ = read(Points().fit(items), items)
    against = Reference(real, *chosen([], real, 300, unseen), 300)
    assert judged(against, real.data.part("values", against.rows[:300]), None)[0]["memorised"] == 1


def test_an_unlabelled_collapse():
    items = replace(find("digits"), labels=None, classes=())
    real, _ = read(Images().fit(items), items)
    against = Reference(real, *chosen([], real, 200, unseen), 200)
    x = real.modality.scale(real.data.part("values", real.data.held[:1])).expand(200, 1, 8, 8)
    noise = 0.05 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    assert judged(against, x + noise, None)[1] == ["mode collapse"]


def test_another_net_of_the_same_name_is_not_taken_for_the_cached_one(against):
    """What a net says is part of the cache's key, not its file alone."""
    from sparring.evaluation.features import Features

    def told(scale):
        return Reference(against.real, [Features("net", lambda x: scale * x.flatten(1)[:, 20:30])], None, N).floor[0]

    assert told(10.0).value == pytest.approx(100 * told(1.0).value, rel=1e-3)


def test_own_features(against, tmp_path):
    (tmp_path / "mine.py").write_text(
        "def mine(x):\n    return x.flatten(1)[:, :5]\n\n\ndef wrong(x):\n    return x.sum()\n\n\npatches = mine\n"
    )
    features, _ = chosen([f"{tmp_path}/mine.py", "patches"], against.real, N, unseen)
    assert [f.name for f in features] == ["mine", "patches"]
    with pytest.raises(InputError, match="features 'mine' are given twice"):
        chosen([f"{tmp_path}/mine.py", f"{tmp_path}/mine.py:mine"], against.real, N, unseen)
    with pytest.raises(InputError, match="'patches' is the name of other features"):
        chosen([f"{tmp_path}/mine.py:patches"], against.real, N, unseen)
    (tmp_path / "broken.py").write_text("import nothing_of_the_kind\n")
    with pytest.raises(InputError, match=r"broken\.py cannot be imported: ModuleNotFoundError"):
        chosen([f"{tmp_path}/broken.py"], against.real, N, unseen)
    assert features[0].compute(torch.zeros(3, 1, 8, 8)).shape == (3, 5)
    (wrong,), _ = chosen([f"{tmp_path}/mine.py:wrong"], against.real, N, unseen)
    with pytest.raises(InputError, match="wrong gave \\(\\) for 3 samples"):
        wrong.compute(torch.zeros(3, 1, 8, 8))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("patch", "features 'patch' are not known; did you mean 'patches'"),
        ("coordinates", "features 'coordinates' are not for images; use 'patches'"),
        ("none.py", "there is no file none.py with features"),
    ],
)
def test_features_that_there_are_not(against, name, said):
    with pytest.raises(InputError, match=said):
        chosen([name], against.real, N, unseen)


def test_weights_that_are_not_here(against, tmp_path, monkeypatch):
    """Offline, the error says which file to put where."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("SPARRING_DATA", raising=False)
    weights.load.cache_clear()

    def refuse(*_, **__):
        raise urllib.error.URLError("no network")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    with pytest.raises(InputError, match=f"no network.*put inception-2015-12-05.pt from https.* into {tmp_path}"):
        chosen(["inception"], against.real, N, unseen)
    with pytest.raises(InputError, match=f"DINOv2 as TorchScript.*put dinov2.pt into {tmp_path}"):
        chosen(["dinov2"], against.real, N, unseen)
    place = tmp_path / "sparring" / "weights" / "dinov2.pt"
    place.parent.mkdir(parents=True)
    torch.save({"weight": torch.zeros(1)}, place)
    with pytest.raises(InputError, match=r"dinov2\.pt is not DINOv2 as TorchScript"):
        chosen(["dinov2"], against.real, N, unseen)


class Stand(torch.nn.Module):
    """Stands in for Inception-v3: the mean of each colour, of pictures of its size in [0, 255]."""

    def forward(self, x: torch.Tensor, return_features: bool = False) -> torch.Tensor:
        assert x.shape[1:] == (3, 299, 299)
        assert return_features
        return x.mean((2, 3))


def test_weights_put_in_place(against, tmp_path, monkeypatch):
    monkeypatch.setenv("SPARRING_DATA", str(tmp_path))
    (tmp_path / "weights").mkdir()
    place = tmp_path / "weights" / "inception-2015-12-05.pt"
    torch.jit.script(Stand()).save(place)
    weights.load.cache_clear()
    with pytest.raises(InputError, match="is not Inception-v3 as TorchScript as published"):
        chosen(["inception"], against.real, N, unseen)
    digest = hashlib.sha256(place.read_bytes()).hexdigest()
    monkeypatch.setitem(weights.FILES, "inception", replace(weights.FILES["inception"], sha256=digest))
    (inception,), _ = chosen(["inception"], against.real, N, unseen)
    weights.load.cache_clear()
    grey, clear = torch.zeros(1, 1, 8, 8), torch.tensor([1.0, 0, 0, -1]).view(1, 4, 1, 1).expand(1, 4, 8, 8)
    assert inception.compute(grey)[0].tolist() == pytest.approx([127.5] * 3)
    assert inception.compute(clear)[0].tolist() == pytest.approx([255.0] * 3)  # what is transparent is white


def test_other_data_than_the_models():
    items = find("ring")
    with pytest.raises(InputError, match="'ring' holds points, but the model makes images"):
        read(Images(size=8, channels=1), items)
    digits = find("digits")
    other = Images(size=8, channels=1, classes=("cat", "dog"), counts=(5, 5))
    real, notes = read(other, digits)
    assert "labels are not used: the model was trained with other classes (cat, dog, ...)" in notes
    assert real.labels(real.data.train) is None
    features, net = chosen([], real, 60, unseen)
    assert "cas[classifier]" not in {n.name for n in Reference(real, features, net, 60).floor}
