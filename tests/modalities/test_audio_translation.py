"""Sounds that are generated from given ones: how they are read, judged, exported and applied to files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import sparring
from sparring import recipes
from sparring.data.tensors import CONDITION, VALUES
from sparring.deploy.export import export
from sparring.errors import InputError
from sparring.evaluation.evaluate import evaluate
from sparring.layers.stft import LOG_FLOOR
from sparring.modalities import DegradedAudio, PairedAudio, Vocoded, find
from sparring.modalities.audio_translation.judge import leave_out_undefined
from sparring.modalities.audio_translation.segments import cut, of_pair, random_parts
from sparring.model import Model
from sparring.use.apply import apply

soundfile = pytest.importorskip("soundfile", reason="needs the extra 'audio'")
pytest.importorskip("soxr", reason="needs the extra 'audio'")

RATE = 8000
TOY = {"width": 8, "depth": 1, "D": 2, "batch": 4, "steps": 3, "quiet": True, "device": "cpu"}


def sound(seconds: float, seed: int, channels: int = 1, rate: int = RATE) -> np.ndarray:
    """A chord with a random start, (frames, channels)."""
    random = np.random.default_rng(seed)
    t = np.arange(round(seconds * rate)) / rate
    waves = [sum(np.sin(2 * np.pi * (200 * k * random.uniform(0.9, 1.1)) * t) / k for k in range(1, 9)) / 6]
    waves += [0.5 * waves[0] + 0.1 * np.sin(2 * np.pi * 330 * t) for _ in range(channels - 1)]
    return np.stack(waves, 1).astype(np.float32) * 0.5


@pytest.fixture(scope="session")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 sounds at 8 kHz, mono but for two."""
    folder = tmp_path_factory.mktemp("clean")
    for i in range(24):
        soundfile.write(folder / f"{i:02}.wav", sound(0.3 + 0.1 * (i % 4), i, 2 if i < 2 else 1), RATE)
    return folder


@pytest.fixture(scope="session")
def denoiser(sounds: Path, tmp_path_factory: pytest.TempPathFactory) -> Model:
    out = tmp_path_factory.mktemp("runs") / "denoise"
    return sparring.train("audio_denoise", sounds, out=out, degrade="noise5-15", **TOY)


@pytest.fixture(scope="session")
def vocoder(sounds: Path, tmp_path_factory: pytest.TempPathFactory) -> Model:
    out = tmp_path_factory.mktemp("runs") / "vocoder"
    return sparring.train("vocoder", sounds, out=out, mels=12, **TOY)


def pairs(folder: Path, count: int = 4, changes: dict[int, np.ndarray] | None = None) -> Path:
    for i in range(count):
        for kind in ("input", "target"):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            samples = sound(0.6, i) * (0.5 if kind == "input" else 1)
            if kind == "input":
                samples = (changes or {}).get(i, samples)
            soundfile.write(folder / kind / f"{i}.wav", samples, RATE)
    return folder


# Reading.


def test_segments_cover_a_long_sound_and_surround_a_short_one() -> None:
    long = np.arange(1, 2501, dtype=np.float32)[None] / 2500
    parts = cut(long, 1000)
    assert parts.shape == (3, 1, 1000)
    assert parts[2, 0, -1] == 32767  # the last sample is not lost
    assert parts[0, 0, 0] == round(32767 / 2500)
    short = cut(long[:, :400], 1000)
    assert short.shape == (1, 1, 1000)
    assert (short[0, 0, :300] == 0).all()
    assert short[0, 0, 699] == 32767


def test_silent_segments_are_left_out() -> None:
    samples = np.concatenate([np.zeros(1000), np.ones(1000) * 0.1]).astype(np.float32)[None]
    assert cut(samples, 1000).shape == (1, 1, 1000)


def test_pairs_keep_their_relation_and_must_agree() -> None:
    given, target = np.full((900, 1), 0.1, np.float32), np.full((905, 1), 0.4, np.float32)
    segments = of_pair(given, target, 1000)
    assert int(segments[0, 0].max()) * 4 == pytest.approx(int(segments[0, 1].max()), abs=4)
    assert "900 samples, and its target 1,000" in of_pair(given, np.ones((1000, 1), np.float32), 500).why
    assert "1 channels, and its target 2" in of_pair(given, np.ones((900, 2), np.float32), 500).why


def test_random_parts_keep_pairs_together() -> None:
    torch.manual_seed(0)
    segments = torch.arange(100).expand(8, 2, 100)
    parts = random_parts(segments, 60)
    assert torch.equal(parts[:, 0], parts[:, 1])
    assert (parts.diff(dim=-1) == 1).all()
    assert len(parts[:, 0, 0].unique()) > 3


def test_stereo_files_become_segments_of_each_channel(sounds: Path) -> None:
    items = find(sounds)
    modality = DegradedAudio(degrade=("noise10",)).fit(items)
    encoded = modality.encode(items)
    assert np.bincount(encoded.items)[:3].tolist() == [2, 2, 1]
    batch = modality.batch({VALUES: encoded.tensors[VALUES]})
    assert batch[VALUES].shape == batch[CONDITION].shape == (26, 1, modality.length)
    assert batch[VALUES].abs().amax() <= 1


def test_spectrograms_belong_to_their_sounds(sounds: Path) -> None:
    items = find(sounds)
    modality = Vocoded(mels=20).fit(items)
    assert (modality.rate, modality.size, modality.hop, modality.length) == (8000, 256, 64, 4096)
    batch = modality.batch({VALUES: modality.encode(items).tensors[VALUES]})
    assert batch[CONDITION].shape == (26, 20, 64)
    assert torch.equal(batch[CONDITION], modality.spectrogram(batch[VALUES]))
    assert batch[CONDITION].min() >= LOG_FLOOR


def test_rates_and_hops_are_derived_or_refused(sounds: Path) -> None:
    items = find(sounds)
    modality = Vocoded(rate=22_050, size=512, hop=128, seconds=0.3).fit(items)
    assert modality.length % 128 == 0
    assert modality.length >= 0.3 * 22_050
    for fields, message in [
        ({"size": 256, "hop": 60}, "frame=256 and hop=60 do not fit"),
        ({"seconds": 0.01}, "seconds=0.01 is out of range; give 0.128 to"),
        ({"rate": 10}, "rate=10 is out of range"),
        ({"mels": 500}, "mels=500 was given for frames of 256 samples; give 128 at most"),
    ]:
        with pytest.raises(InputError, match=message):
            Vocoded(**fields).fit(items)


def test_pairs_are_recommended_and_read_together(tmp_path: Path) -> None:
    items = find(pairs(tmp_path / "pairs"))
    recipe, why = recipes.choose(items, "cpu")
    assert recipe.name == "audio_pairs"
    assert "input/ and target/" in why
    modality = PairedAudio().fit(items)
    batch = modality.batch({VALUES: modality.encode(items).tensors[VALUES]})
    assert torch.allclose(batch[CONDITION] * 2, batch[VALUES], atol=1e-3)


def test_pairs_that_do_not_fit_are_named(tmp_path: Path) -> None:
    items = find(pairs(tmp_path / "pairs", changes={1: sound(0.5, 1), 2: sound(0.6, 2, channels=2)}))
    skipped = PairedAudio().fit(items).encode(items).skipped
    assert [name for name, _ in skipped] == ["input/1.wav", "input/2.wav"]
    (tmp_path / "pairs" / "target" / "3.wav").unlink()
    with pytest.raises(InputError, match="1 sound in input/ without a partner of the same name in target/: 3"):
        PairedAudio().fit(find(tmp_path / "pairs"))


def test_recordings_of_noise_are_needed_for_recorded(sounds: Path, tmp_path: Path) -> None:
    items = find(sounds)
    with pytest.raises(InputError, match="needs recordings; give noises=FOLDER"):
        DegradedAudio(degrade=("recorded5",)).fit(items)
    with pytest.raises(InputError, match="holds no sounds"):
        DegradedAudio(degrade=("recorded5",), noises=str(tmp_path)).fit(items)
    for i in range(2):
        soundfile.write(tmp_path / f"{i}.wav", np.sign(sound(0.5, i)), RATE)
    modality = DegradedAudio(degrade=("recorded5",), noises=str(tmp_path)).fit(items)
    assert modality.chain.noises.shape == (8000,)
    assert modality.portable().noises == ""


# Applying.


def test_files_keep_rate_channels_bits_and_length(denoiser: Model, tmp_path: Path) -> None:
    for name, rate, channels, subtype in [
        ("a.wav", 8000, 1, "PCM_16"), ("b.flac", 8000, 2, "PCM_24"), ("c.wav", 44_100, 2, "PCM_24"),
        ("d.ogg", 16_000, 1, "VORBIS"), ("e.wav", 8000, 7, "FLOAT"),
    ]:  # fmt: skip
        samples = sound(1.2345, 5, channels, rate)
        soundfile.write(tmp_path / name, samples, rate, subtype=subtype)
        frames = soundfile.info(tmp_path / name).frames
        applied = apply(denoiser, tmp_path / name, tmp_path / "out" / name, force=True)
        info = soundfile.info(tmp_path / "out" / name)
        assert (info.frames, info.samplerate, info.channels, info.subtype) == (frames, rate, channels, subtype)
        assert (applied.count, applied.words) == (1, "sound")


def test_lower_rates_become_the_models(vocoder: Model, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "low.wav", sound(0.9, 3, rate=6000), 6000)
    apply(vocoder, tmp_path / "low.wav", tmp_path / "out.wav")
    info = soundfile.info(tmp_path / "out.wav")
    assert (info.samplerate, info.frames) == (8000, 7200)


@pytest.mark.parametrize("name", ["denoiser", "vocoder"])
def test_files_are_what_the_net_returns_for_the_whole(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Over several chunks and blocks."""
    model = request.getfixturevalue(name)
    samples = sound(20.0, 7, 2)
    soundfile.write(tmp_path / "long.wav", samples, RATE, subtype="FLOAT")
    apply(model, tmp_path / "long.wav", tmp_path / "out.wav")
    written, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    mapper = model.modality.heard(model.mapper())
    x = torch.from_numpy(samples.T.copy())[:, None]
    with torch.no_grad():
        whole = mapper.net(x)[:, 0].T.numpy().clip(-1, 1)
    assert np.abs(written - whole).max() < 1e-5
    assert np.array_equal(model.apply(samples).clip(-1, 1), written)


def test_folders_are_applied_and_name_what_they_skip(
    denoiser: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    soundfile.write(tmp_path / "in" / "a.wav", sound(0.5, 1), RATE)
    soundfile.write(tmp_path / "in" / "deep" / "b.mp3", sound(0.5, 2), RATE)
    content = (tmp_path / "in" / "a.wav").read_bytes()
    (tmp_path / "in" / "cut.wav").write_bytes(content[:-2000])
    (tmp_path / "in" / "notes.txt").write_text("no sound")
    assert apply(denoiser, tmp_path / "in", tmp_path / "out", quiet=False).count == 2
    assert sorted(p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.*")) == [
        "a.wav", "deep/b.mp3.wav",
    ]  # fmt: skip
    said = capsys.readouterr()
    assert "cut.wav cannot be used: truncated" in said.out + said.err
    assert "real-time factor" in said.out + said.err


def test_files_that_cannot_be_used_are_refused(denoiser: Model, tmp_path: Path) -> None:
    good = tmp_path / "good.wav"
    soundfile.write(good, sound(0.5, 1), RATE)
    empty, nothing, text = (tmp_path / name for name in ("empty.wav", "nothing.wav", "text.wav"))
    empty.write_bytes(b"")
    soundfile.write(nothing, np.zeros((0, 1)), RATE)
    text.write_text("this is no sound at all")
    (tmp_path / "bare").mkdir()
    for source, out, message in [
        (empty, "o.wav", "the file is empty"),
        (nothing, "o.wav", "a length of 0 seconds|it has no samples"),
        (text, "o.wav", "not a sound"),
        (good, "o.xyz", "give a name that ends in .wav, .flac, .ogg"),
        (tmp_path / "bare", "folder", "holds no sounds"),
        (tmp_path / "bare", "o.wav", "is the name of a file"),
    ]:
        with pytest.raises(InputError, match=message):
            apply(denoiser, source, tmp_path / out)
        assert not (tmp_path / out).exists()


def test_arrays_of_another_shape_are_refused(denoiser: Model) -> None:
    with pytest.raises(InputError, match=r"a sound of shape \(3, 4, 5\) was given; give \(frames, channels\)"):
        denoiser.apply(np.zeros((3, 4, 5)))


# Judging and exporting.


def test_judge_compares_with_no_d_and_with_what_needs_no_training(denoiser: Model, vocoder: Model) -> None:
    judged = evaluate(denoiser, samples=3)
    assert list(judged.baselines) == ["identity", "spectral_subtraction", "without D"]
    names = [number.name for number in judged.numbers]
    assert {"si_sdr", "log_spectral_distance", "mel_distance"} <= set(names)
    given = {number.name: number.value for number in judged.baselines["identity"]}
    assert 5 <= given["si_sdr"] <= 15  # the noise that was asked for
    judged = evaluate(vocoder, samples=3)
    assert list(judged.baselines) == ["griffin_lim", "without D"]
    assert "si_sdr" not in [number.name for number in judged.numbers]
    assert judged.picture is not None


def test_methods_are_compared_on_the_same_sounds() -> None:
    one, other = {"stoi": [0.5, float("nan"), 0.7]}, {"stoi": [0.1, 0.2, 0.3]}
    leave_out_undefined([one, other])
    assert (one, other) == ({"stoi": [0.5, 0.7]}, {"stoi": [0.1, 0.3]})


@pytest.mark.parametrize("name", ["denoiser", "vocoder"])
def test_exported_nets_take_any_length(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra 'export'")
    model = request.getfixturevalue(name)
    export(model, tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    (given,) = session.get_inputs()
    assert given.name == {"denoiser": "sound", "vocoder": "spectrogram"}[name]
    channels, times = (1, 1) if name == "denoiser" else (12, 64)
    x = torch.randn(2, channels, 64 * 7)
    (y,) = session.run(None, {given.name: x.numpy()})
    with torch.no_grad():
        expected = model.mapper().net(x)
    assert y.shape == (2, 1, 64 * 7 * times)
    assert np.allclose(y, expected.numpy(), atol=1e-4)


def test_the_studio_takes_sounds(denoiser: Model) -> None:
    pytest.importorskip("gradio", reason="needs the extra 'studio'")
    from sparring.studio.tabs.file import can_use_files

    assert can_use_files(denoiser)
    assert denoiser.modality.classifier_input is None  # so that the tab asks for a file, not for an image
