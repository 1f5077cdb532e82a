"""Items whose parts are perfect but do not belong together must fail."""

import json

import numpy as np
import pytest
import torch
from things import name_of, picture, write_films, write_stems

import sparring
from sparring.errors import InputError
from sparring.metrics.results import Evaluation, Number
from sparring.modalities import find
from sparring.modalities.joint import Joint, matcher
from sparring.modalities.joint import judge as judging
from sparring.modalities.joint.judge import joint_judge
from sparring.modalities.judge import TrainingData


class Console:
    def say(self, text):
        pass


class Alone:
    """The judge of a part alone."""

    def __init__(self, modality, training, _against):
        self.modality, self.count = modality, len(training.items)

    def evaluate(self, sampler, *_):
        (values, condition) = next(sampler.stream(5, 0))
        assert condition is None
        number = Number("own", float(len(values["values"])), "high")
        return Evaluation(self.modality.kind, "", 5, self.count, (number,), (number,), {}, ())


class Real:
    """A model whose samples are real items, with the parts in order or not."""

    def __init__(self, joint, values, shuffled):
        parts = joint.layout.split(values)
        moved = [part.roll(shuffled * i, 0).flatten(1) for i, part in enumerate(parts)]
        self.modality, self.values = joint, torch.cat(moved, 1)

    def stream(self, n, *_):
        yield {"values": self.values[:n]}, None


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    patched = pytest.MonkeyPatch()
    patched.setattr(matcher, "STEPS", 60)
    items = find(write_stems(tmp_path_factory.mktemp("data") / "things", 240, parts=("png", "json", "txt")))
    joint = Joint().fit(items)
    data = TrainingData("things", "things", len(items), lambda: items)
    judge = joint_judge(joint, data, None, {"judge": Alone}, lambda _: None)
    values = joint.batch(joint.encode(items).tensors)["values"]
    yield {way: judge.evaluate(Real(joint, values, way), 200, 0, Console()) for way in (0, 1)}
    patched.undo()


def test_real_items_belong_together(judged):
    found = judged[0]
    assert found["agreement[color]"] > 0.95
    assert found["matching[picture,row]"] > 0.75  # a third of the others have the same color
    assert not [finding for finding in found.findings if "belong" in finding.name]


def test_perfect_parts_that_do_not_belong_together_fail(judged):
    found, real = judged[1], judged[0]
    assert found["agreement[color]"] < 0.5
    for name in ("matching[picture,row]", "matching[picture,text]", "matching[text,row]"):
        assert found[name] < 0.6 < real[name]
    assert found["fid[together]"] > 3 * real["fid[together]"]
    assert [finding.name for finding in found.findings] == ["parts do not belong together"]


def test_the_baseline_is_real_parts_in_another_order(judged):
    found = judged[0]
    assert found.of_baseline("shuffled", "matching[picture,row]") < 0.65
    assert found.of_real("matching[picture,row]") > 0.75


def test_parts_are_judged_alone_too(judged):
    found = judged[0]
    assert [found[f"{part} own"] for part in ("picture", "text", "row")] == [5, 5, 5]


def test_the_reference_is_of_all_classes(tmp_path, monkeypatch):
    monkeypatch.setattr(judging, "MAX_REFERENCE", 12)
    folder = tmp_path / "sorted"
    for i in range(60):  # neighbors in the data are of one color
        write_one_color(folder, i, i // 20)
    items = find(folder)
    joint = Joint().fit(items)
    made = joint_judge(joint, TrainingData("sorted", "sorted", 60, lambda: items), None, {}, lambda _: None)
    row = made.joint.layout.split(joint.scale(made.tensors["values"][made.train[: judging.MAX_REFERENCE]]))[1]
    assert len({tuple(place.tolist()) for place in row[:, :3]}) == 3


def write_one_color(folder, i, color):
    folder.mkdir(exist_ok=True)
    picture(color).save(folder / f"{i:03}.png")
    (folder / f"{i:03}.json").write_text(json.dumps({"color": name_of(color), "weight": i % 5 + 0.5}))


def test_parts_are_held_out_with_their_items(tmp_path):
    items = find(write_stems(tmp_path / "things", 60, lacking=[(i, "json") for i in range(0, 20, 2)]))
    joint = Joint(giving=False).fit(items)
    encoded = joint.encode(items)
    data = TrainingData("things", "things", 60, lambda: items)
    seen = {}

    def judge(modality, training, _):
        seen[modality.kind] = training.items.held
        return Alone(modality, training, _)

    joint_judge(joint, data, None, {"judge": judge}, lambda _: None).judges()
    held = joint.split(items, encoded.readable).held
    assert len(held)
    assert np.flatnonzero(seen["images"]).tolist() == held.tolist()


def test_features_are_those_of_the_parts(tmp_path):
    items = find(write_stems(tmp_path / "few", 30))
    data = TrainingData("few", "few", 30, lambda: items)
    with pytest.raises(InputError, match="features=patches is not for items of several parts"):
        joint_judge(Joint().fit(items), data, None, {"features": ("patches",)}, lambda _: None)


def test_too_few_items_are_refused(tmp_path):
    items = find(write_stems(tmp_path / "few", 20))
    data = TrainingData("few", "few", 20, lambda: items)
    with pytest.raises(InputError, match="'few' has 20 items; evaluating needs at least 24"):
        joint_judge(Joint().fit(items), data, None, {}, lambda _: None)


def test_films_that_are_parts_are_judged_as_films(tmp_path, monkeypatch):
    """Their content and motion cannot be asked for as those of films alone can."""
    monkeypatch.setattr(matcher, "STEPS", 2)
    tiny = {
        "steps": 1,
        "quiet": True,
        "device": "cpu",
        "width": 4,
        "inner": 8,
        "codes": 4,
        "z": 4,
        "columns": ["color"],
    }
    model = sparring.train("joint", write_films(tmp_path / "films", 220), out=tmp_path / "run", **tiny)
    found = sparring.evaluate(model, samples=24)
    assert any(number.name.startswith("film ") for number in found.numbers)


def test_classes_are_judged_once_for_each_item(tmp_path):
    """Their table has a row for each class, of which no class could be held out."""
    for data, suffix in (("pictures", "png"), ("sounds", "wav")):
        for name in ("a", "b"):
            write_stems(tmp_path / data / name, 40, parts=(suffix,))
    items = find(tmp_path / "pictures")
    joint = Joint(match=str(tmp_path / "sounds")).fit(items)
    training = TrainingData("pictures", "pictures", len(items), lambda: items)
    held = joint.split(items).held
    labels = judging._training(joint, joint.row, items, held, training)
    assert labels.count == len(joint.joint_items(items))
    origins = joint.joint_items(items).items.origins
    assert labels.items.held.tolist() == np.isin(origins, held).tolist()
