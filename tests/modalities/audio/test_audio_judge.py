"""The judge tells real sounds, copies and noise apart."""

import numpy as np
import pytest
import soundfile
import torch
from toy_sounds import RATE

from sparring.errors import InputError
from sparring.modalities import find
from sparring.modalities.audio import Audio, classifier, dnsmos, spectra
from sparring.modalities.audio.judge import audio_judge
from sparring.modalities.judge import TrainingData
from sparring.modalities.samples import Samples


class Screen:
    def say(self, text):
        pass


class Fixed:
    """A model whose samples are given."""

    def __init__(self, modality, items, labels):
        self.modality, self.items, self.labels = modality, items, labels

    def sample(self, n, *, seed=None):  # noqa: ARG002
        return Samples(self.items[:n], self.labels[:n], self.modality)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Folders of 60 plucked and 60 blown sounds of random pitch."""
    folder, random = tmp_path_factory.mktemp("judged") / "sounds", np.random.default_rng(0)
    t = np.arange(2048) / RATE
    for name, decay in (("plucked", 25), ("blown", 3)):
        (folder / name).mkdir(parents=True)
        for i in range(60):
            pitch = random.uniform(200, 500)
            x = sum(np.sin(2 * np.pi * k * pitch * t + random.uniform(0, 6)) / k for k in (1, 2, 3))
            x = x * np.exp(-decay * t) + 0.003 * random.normal(size=2048)
            soundfile.write(folder / name / f"{i:02}.wav", 0.5 * x / np.abs(x).max(), RATE)
    return folder


@pytest.fixture(scope="module")
def judge(data):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sparring.modalities.audio.classifier.STEPS", 100)
        patch.setattr(dnsmos, "installed", lambda: False)
        items = find(str(data))
        modality = Audio().fit(items).with_classes(items.classes, items.labels)
        made = audio_judge(modality, TrainingData("s", str(data), len(items), lambda: items), None, {}, lambda _: None)
        assert made.floor
        assert made.baselines
        yield made


def evaluated(judge, waves, labels):
    items = (waves * judge.modality.gain).permute(0, 2, 1).numpy()
    return judge.evaluate(Fixed(judge.modality, items, labels), len(items), 0, Screen())


def names(evaluation):
    return {finding.name for finding in evaluation.findings}


def test_real_sounds_have_no_findings(judge):
    evaluation = evaluated(judge, judge.unseen.waves, judge.unseen.labels.numpy())
    assert not names(evaluation)
    assert evaluation["conditional_accuracy[classifier]"] == 1
    assert evaluation["fid[classifier]"] == pytest.approx(evaluation.of_real("fid[classifier]"))
    assert evaluation.picture.width > 300


def test_copies_are_found_at_any_shift(judge):
    waves = judge.train.waves[:24].roll(100, -1) * 0.8
    evaluation = evaluated(judge, waves, judge.train.labels[:24].numpy())
    assert "copies" in names(evaluation)
    assert evaluation["near_copy_share"] > 0.9
    assert evaluation.of_real("near_copy_share") < 0.5


def test_noise_is_worse_than_real_sounds_and_than_shaped_noise(judge):
    noise = torch.randn(24, 1, 2048, generator=torch.Generator().manual_seed(0)).clamp(-3, 3) / 3
    evaluation = evaluated(judge, noise, np.arange(24) % 2)
    assert {"worse than the baseline"} <= names(evaluation)
    assert evaluation["fid[classifier]"] > evaluation.of_baseline("shaped_noise", "fid[classifier]")
    assert evaluation.of_baseline("shaped_noise", "fid[classifier]") > evaluation.of_real("fid[classifier]")


def test_collapse_and_wrong_classes_are_found(judge):
    one = judge.unseen.waves[judge.unseen.labels == 0][:1]
    evaluation = evaluated(judge, one.expand(24, -1, -1), np.arange(24) % 2)
    assert {"mode collapse", "wrong classes"} <= names(evaluation)


def test_classifier_sees_means_of_the_frames_of_long_sounds():
    """Its time does not grow with the length of the sounds; short ones are not changed."""
    noise = torch.randn(2, 1, 40_000, generator=torch.Generator().manual_seed(0))
    levels = spectra.levels(noise, RATE, classifier.MELS)
    seen = classifier.averaged_levels(noise, RATE)
    assert levels.shape[2] > 5 * classifier.MAX_FRAMES
    assert seen.shape[2] <= classifier.MAX_FRAMES
    factor = -(-levels.shape[2] // classifier.MAX_FRAMES)
    assert torch.allclose(seen[:, :, 3], levels[:, :, 3 * factor : 4 * factor].mean(2), atol=1e-5)
    short = noise[..., :2048]
    assert torch.equal(classifier.averaged_levels(short, RATE), spectra.levels(short, RATE, classifier.MELS))


def test_unlabeled_sounds_are_judged_by_levels(data):
    items = find(str(data / "plucked"))
    modality = Audio().fit(items)
    judge = audio_judge(modality, TrainingData("s", "s", len(items), lambda: items), None, {}, lambda _: None)
    floor = {number.name: number.value for number in judge.floor}
    assert not judge.held  # 6 of 60 are too few
    noise = {number.name: number.value for number in judge.baselines["shaped_noise"]}
    assert floor["fid[mels]"] < 0.5 * noise["fid[mels]"]
    assert "conditional_accuracy[classifier]" not in floor


def test_too_few_or_other_sounds_are_refused(sounds):
    items = find(str(sounds))
    modality = Audio().fit(items)
    training = TrainingData("s", "s", len(items) + 1, lambda: items)
    with pytest.raises(InputError, match="had 25 sounds when the model was trained and has 24 now"):
        audio_judge(modality, training, None, {}, lambda _: None)
    with pytest.raises(InputError, match="features=inception is not for sounds"):
        audio_judge(modality, training, None, {"features": ("inception",)}, lambda _: None)


@pytest.mark.skipif(not dnsmos.installed(), reason="speechmos is not installed")
def test_dnsmos_prefers_tones_of_a_voice_to_noise():
    t = torch.arange(8000) / RATE
    pulses = (torch.sin(2 * torch.pi * 120 * t) > 0.99).float()
    voiced = pulses.cumsum(0) % 2 * torch.sin(2 * torch.pi * 700 * t) * torch.hann_window(8000)
    noise = 0.3 * torch.randn(8000, generator=torch.Generator().manual_seed(0))
    scores = dnsmos.overall(torch.stack([voiced, noise])[:, None], RATE)
    assert ((scores >= 1) & (scores <= 5)).all()
    assert scores[0] > scores[1]
