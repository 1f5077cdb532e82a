"""Every cheat is caught by a number with a name, and held-out clips are not."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from sparring import recipes
from sparring.data.items import Items
from sparring.data.tensors import VALUES
from sparring.errors import InputError
from sparring.modalities.judge import TrainingData
from sparring.modalities.video import Video, clip_classifier
from sparring.modalities.video import judge as judging
from sparring.modalities.video.judge import VideoJudge
from sparring.modalities.video.problems import PROBLEMS, deviating, findings
from sparring.modalities.video.real_clips import Clips
from sparring.nets import efficientnet_lite
from sparring.recipes.base import parse

SIZE, FRAMES = 16, 8


def comets(n, seed):
    """Bright heads with tails that cross the picture to the left or to the right: clips and their classes."""
    random = np.random.default_rng(seed)
    clips = np.full((n, 3, FRAMES, SIZE, SIZE), -0.9, np.float32)
    labels = random.integers(0, 2, n)
    for i, label in enumerate(labels):
        top, first = random.integers(0, SIZE - 4), random.integers(0, SIZE)
        color = random.uniform(0.0, 1.0, 3)
        for t in range(FRAMES):
            head = first + (t if label else -t)
            for tail in range(5):
                column = (head - (tail if label else -tail)) % SIZE
                clips[i, :, t, top : top + 4, column] = (color * (1 - tail / 5) - 0.1 * tail)[:, None]
    return torch.from_numpy(clips), torch.from_numpy(labels)


@pytest.fixture(scope="module")
def judge():
    patch = pytest.MonkeyPatch()
    patch.setattr(clip_classifier, "STEPS", 150)
    modality = Video(
        size=SIZE, channels=3, frames=FRAMES, rate=10.0, loop=False, stride=1, classes=("left", "right"), counts=(1, 1)
    )
    yield VideoJudge(modality, Clips(*comets(300, 0)), Clips(*comets(80, 1)), lambda _: None, "comets")
    patch.undo()


CAUGHT_BY = {
    "still": {"motion_amount", "frechet[changes]", "forward_share", "identity_drift"},
    "shuffled": {"straightness", "forward_share", "frechet[changes]"},
    "cross-fade": {"motion_amount", "frechet[changes]"},
    "backwards": {"forward_share"},
}


@pytest.mark.parametrize("cheat", CAUGHT_BY)
def test_cheats_are_caught(judge, cheat):
    caught = {number.name for number in deviating(judge.cheats[cheat], judge.floor)}
    assert caught >= CAUGHT_BY[cheat]


def test_held_out_clips_pass(judge):
    assert not deviating(judge.floor, judge.floor)
    other = judge.numbers(Clips(*comets(80, 2)))
    assert not findings(other, judge.floor, {})
    assert {n.name: n.value for n in other}["conditional_accuracy"] > 0.9


def test_copies_are_caught(judge):
    copies = Clips(judge.training.values[:80] + 0.01, judge.training.labels[:80])
    assert "copies" in {finding.name for finding in findings(judge.numbers(copies), judge.floor, {})}


def test_missing_classes_are_caught(judge):
    """Two classes are recognized in real clips, and one where all clips are of one, whatever they were asked for."""
    values, labels = comets(160, 6)
    one = values[labels == 0][:60]
    numbers = judge.numbers(Clips(one, labels[:60]))
    caught = {n.name: n.value for n in deviating(numbers, judge.floor)}
    assert caught["is[classifier]"] < 1.2
    assert "clips between classes, or missing classes" in {f.name for f in findings(numbers, judge.floor, {})}
    assert {n.name: n.value for n in judge.floor}["is[classifier]"] > 1.8


def test_clips_of_the_wrong_class_are_caught(judge):
    values, labels = comets(80, 3)
    found = findings(judge.numbers(Clips(values, 1 - labels)), judge.floor, {"labels": None})
    (advice,) = [f.advice for f in found if f.name == "clips do not show their class"]
    assert advice == "train longer"  # only models that were trained with labels have this metric


def test_clips_whose_content_changes_are_caught(judge):
    """From one clip to another in the middle."""
    values, labels = comets(80, 4)
    values[:, :, FRAMES // 2 :] = values.roll(1, 0)[:, :, FRAMES // 2 :]
    caught = {number.name for number in deviating(judge.numbers(Clips(values, labels)), judge.floor)}
    assert "identity_drift" in caught


@pytest.mark.parametrize("cheat", CAUGHT_BY)
def test_all_that_stands_out_is_a_finding(judge, cheat):
    numbers = judge.cheats[cheat]
    named = [f.evidence.partition(" ")[0] for f in findings(numbers, judge.floor, {})]
    assert named == [number.name for number in deviating(numbers, judge.floor)]
    assert "frechet[changes]" in named or cheat == "backwards"


@pytest.mark.parametrize(
    ("fields", "advice"),
    [
        (vars(recipes.find("video")), "train longer, or with more judged frames (judged=4)"),
        (vars(recipes.find("video").set({"judged": 6})), "train longer"),
        (vars(recipes.find("mocogan")), "train longer"),
        (vars(recipes.find("predict")), "train longer"),
        ({}, "train longer"),  # clips that any tool made
    ],
)
def test_only_fields_of_the_recipe_are_advised(fields, advice):
    assert PROBLEMS["motion_amount"].advice(fields) == advice


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_every_setting_that_is_advised_is_one_of_a_recipe(problem):
    for setting in problem.settings:
        recipes.find("video").set(parse([setting.replace("=N", "=8")]))


def test_evaluation_of_a_model(judge):
    """Samples of real clips get the numbers of real clips."""
    values, labels = comets(80, 5)

    def sample(n, **_):
        return SimpleNamespace(items=judge.modality.decode({VALUES: values[:n]}))

    def stream(n, _):
        return [({VALUES: values[:n]}, labels[:n])]

    model = SimpleNamespace(fields={}, asks=judge.modality.asks, stream=stream, sample=sample)
    result = judge.evaluate(model, 80, 0, SimpleNamespace(say=lambda _: None))
    assert result.head == ["metric", "samples", "real", "still", "shuffled", "cross-fade", "backwards"]
    assert result.picture is not None
    assert not result.findings
    assert "conditional_accuracy, is[classifier] and forward_share by a net" in result.protocol
    with pytest.raises(InputError, match="3 clips are too few"):
        judge.evaluate(model, 3, 0, SimpleNamespace(say=lambda _: None))


def test_frames_of_natural_size_are_compared_by_a_net_for_photographs(judge):
    large = VideoJudge(Video(size=64, channels=3, frames=FRAMES), judge.training, judge.held, lambda _: None, "x")
    assert large.features_name == ("imagenet" if efficientnet_lite.installed() else "patches")
    assert judge.features_name == "patches"


def test_too_few_held_out_clips(monkeypatch):
    items = Items("few", "video", SimpleNamespace(names=("a", "b")), None)
    monkeypatch.setattr(Items, "__len__", lambda _: 2)
    encoded = SimpleNamespace(values=torch.zeros(2, 3, 8, 4, 4, dtype=torch.uint8), items=np.arange(2), readable=None)
    monkeypatch.setattr(Video, "encode", lambda *_: encoded)
    training = TrainingData("few", "few/", 2, lambda: items)
    with pytest.raises(InputError, match="0 held-out clips, which is too few"):
        judging.video_judge(Video(size=4, channels=3, frames=8), training, None, {}, lambda _: None)
    with pytest.raises(InputError, match="features=dinov2 is not for films"):
        judging.video_judge(Video(), training, None, {"features": ("dinov2",)}, lambda _: None)
