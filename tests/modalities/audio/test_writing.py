"""What is written is what was asked for: lengths, rate, channels, bits, and nothing over full scale."""

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
import soundfile
import torch

from sparring.data.tensors import VALUES
from sparring.modalities.audio import Audio
from sparring.modalities.audio.decoding import clipped
from sparring.modalities.samples import Samples

MONO = Audio(rate=8000, channels=1, length=2560, gain=0.5)
STEREO = Audio(rate=44_100, channels=2, length=4410, bits=24, classes=("a", "b"), counts=(1, 1))


def samples(modality, n=5, labels=None, loud=3.0):
    values = torch.randn(n, *modality.shape, generator=torch.Generator().manual_seed(0)).clamp(-loud, loud)
    return Samples(modality.decode({VALUES: values}), labels, modality)


@pytest.mark.parametrize(("suffix", "error"), [(".wav", 1e-7), (".flac", 1e-7), (".ogg", 2.0)])
@pytest.mark.parametrize("modality", [MONO, STEREO])
def test_one_file_of_all_sounds(modality, suffix, error, tmp_path):
    labels = np.array([1, 0, 1, 0, 0]) if modality.classes else None
    made = samples(modality, labels=labels)
    made.save(tmp_path / f"s{suffix}")
    x, rate = soundfile.read(tmp_path / f"s{suffix}", always_2d=True)
    gap = round(0.25 * modality.rate)
    assert (rate, x.shape) == (modality.rate, (5 * modality.length + 4 * gap, modality.channels))
    info = soundfile.info(tmp_path / f"s{suffix}")
    if suffix != ".ogg":
        assert info.subtype == f"PCM_{modality.bits}"
    first = 1 if modality.classes else 0  # the first of class a
    written = 2.0 ** (1 - modality.bits)
    assert np.abs(x[: modality.length] - made.items[first]).max() < error + written
    assert np.corrcoef(x[: modality.length, 0], made.items[first, :, 0])[0, 1] > 0.5
    if suffix == ".wav":
        assert not x[modality.length : modality.length + gap].any()


def test_loud_values_are_made_quieter_and_not_clipped(tmp_path):
    made = samples(replace(MONO, gain=1.0), n=1, loud=9.0)
    assert np.abs(made.items).max() == pytest.approx(1)
    made.save(tmp_path / "s.wav")
    x, _ = soundfile.read(tmp_path / "s.wav", always_2d=True)
    assert np.abs(x).max() <= 1
    assert not clipped(x.astype(np.float32))
    assert np.corrcoef(x[:, 0], made.items[0, :, 0])[0, 1] > 0.99999


def test_a_folder_has_a_file_for_each_sound(tmp_path):
    samples(STEREO, n=12, labels=np.arange(12) % 2).save(tmp_path / "out")
    files = sorted(p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.wav"))
    assert files[:2] == ["a/00.wav", "a/02.wav"]
    assert len(files) == 12
    info = soundfile.info(tmp_path / "out" / "b" / "01.wav")
    assert (info.frames, info.samplerate, info.channels, info.subtype) == (4410, 44_100, 2, "PCM_24")


def test_json_holds_sounds_as_files():
    made = samples(MONO)
    answer = MONO.as_json(made)
    x, rate = soundfile.read(io.BytesIO(base64.b64decode(answer["sounds"][2])), always_2d=True)
    assert rate == answer["rate"] == 8000
    assert np.abs(x - made.items[2]).max() < 1e-4


def test_sheets_have_axes():
    made = samples(STEREO, n=4, labels=np.arange(4) % 2)
    picture = np.asarray(made.preview().convert("L"))
    alone = STEREO.draw_items(made)[0]
    assert picture.shape[0] > 2 * alone.height
    assert (picture[:, :40] < 200).any()  # hertz on the left
    assert (picture[-25:, 46:] < 200).any()  # seconds below


def test_spectrograms_show_high_frequencies_on_top():
    t = np.arange(2560) / 8000
    for hertz, rows in ((3500, slice(36, 60)), (150, slice(84, 108))):
        sound = np.sin(2 * np.pi * hertz * t)[None, :, None].astype(np.float32)
        picture = np.asarray(MONO.draw_items(Samples(sound, None, MONO))[0].convert("L")).astype(float)
        inside, whole = picture[rows, 10:-10].mean(), picture[36:, 10:-10].mean()
        assert inside > 1.3 * whole
