"""Files become sounds of one rate, one number of channels and one length; what cannot be read is named."""

import io
import re
import shutil
import tarfile
import zipfile

import av
import numpy as np
import pytest
import soundfile
import torch
from toy_sounds import RATE, tone

from sparring.data.sources import Unreadable
from sparring.data.tensors import VALUES
from sparring.errors import InputError
from sparring.modalities import find
from sparring.modalities.audio import Audio
from sparring.modalities.audio.decoding import clipped, loaded, uniform


def content(samples, rate=RATE, **how) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, **{"format": "WAV", **how})
    return file.getvalue()


FORMATS = [
    ("WAV", "PCM_U8", 8, 0.02), ("WAV", "PCM_16", 16, 1e-4), ("WAV", "PCM_24", 24, 1e-6), ("WAV", "PCM_32", 32, 1e-6),
    ("WAV", "FLOAT", 32, 1e-6), ("FLAC", "PCM_24", 24, 1e-6), ("AIFF", "PCM_16", 16, 1e-4), ("OGG", "VORBIS", 16, 0.05),
    ("OGG", "OPUS", 16, 0.1), ("MP3", "MPEG_LAYER_III", 16, 0.1),
]  # fmt: skip


@pytest.mark.parametrize(("format", "subtype", "bits", "error"), FORMATS)
def test_formats(format, subtype, bits, error):
    x = tone(440, 0.5)
    sound = loaded(content(x, format=format, subtype=subtype))
    assert (sound.rate, sound.bits) == (RATE, bits)
    assert np.abs(sound.samples[: len(x), 0] - x)[800:3000].max() < error


def test_m4a_and_film_sound(tmp_path):
    x = tone(440, 1.0, 44_100).astype(np.float32)
    for suffix, codec in ((".m4a", "aac"), (".mkv", "pcm_s16le")):
        with av.open(str(tmp_path / f"a{suffix}"), "w") as file:
            stream = file.add_stream(codec, rate=44_100, layout="mono")
            frame = av.AudioFrame.from_ndarray((x[None] * 32767).astype(np.int16), format="s16", layout="mono")
            frame.sample_rate, frame.pts = 44_100, 0
            file.mux([*stream.encode(frame), *stream.encode(None)])
        sound = loaded((tmp_path / f"a{suffix}").read_bytes())
        assert (sound.rate, sound.samples.shape[1]) == (44_100, 1)
        spectrum = np.abs(np.fft.rfft(sound.samples[:44_100, 0]))
        assert spectrum.argmax() == pytest.approx(440, abs=2)


def test_what_cannot_be_read_says_why():
    whole = content(tone(440, 0.5))
    flac = content(tone(440, 0.5), format="FLAC", subtype="PCM_16")
    for bytes_, why in [
        (whole[:2000], "truncated: its header promises 8,000 bytes of sound, and 1,956 are there"),
        (flac[: len(flac) // 2], "truncated|damaged"),
        (content(np.zeros(0)), "0 seconds"),
        (content(np.zeros((100, 7)) + 0.1), "7 channels; mono and stereo are read"),
        (content(np.zeros(1000)), "silent"),
        (content(np.array([0.1, np.nan]), subtype="FLOAT"), "not finite"),
        (b"", "empty"),
        (b"RIFFxxxxWAVE", "truncated"),
        (b"hello", "not a sound"),
    ]:
        result = loaded(bytes_)
        assert isinstance(result, Unreadable), why
        assert re.search(why, result.why), result.why


def test_a_streamed_wav_whose_header_knows_no_length_is_read():
    data = bytearray(content(tone(440, 0.5)))
    place = data.index(b"data") + 4
    data[place : place + 4] = b"\xff\xff\xff\xff"
    assert not isinstance(loaded(bytes(data)), Unreadable)


def test_sounds_are_resampled_mixed_sized_and_normalized():
    stereo = np.stack([tone(440, 0.5, 16_000), np.zeros(8000)], 1)
    x = uniform(content(stereo, 16_000), RATE, 1, 6000)
    assert (x.shape, x.dtype, np.abs(x).max()) == ((1, 1, 6000), np.int16, 32767)
    x = x[0]
    assert not x[0, 4000:].any()  # half a second, then silence
    assert np.abs(np.fft.rfft(x[0, :4000])).argmax() == pytest.approx(220, abs=1)
    cut = uniform(content(np.ones(8000) * 0.3), RATE, 2, 1000)[0]
    assert (cut[0] == cut[1]).all()
    assert cut[0, 0] == 32767
    assert cut[0, -1] == 0  # a fade, and no click


def test_recordings_are_cut_into_pieces(tmp_path):
    for i in range(3):
        x = np.concatenate([tone(300 + 100 * k, 1.0) for k in range(8)])
        x[2 * RATE : 5 * RATE] = 0
        soundfile.write(tmp_path / f"{i}.wav", x * (i + 1) / 6, RATE)
    items = find(str(tmp_path))
    modality = Audio(seconds=0.5).fit(items)
    assert (modality.length, modality.pieces) == (4000, 16)
    encoded = modality.encode(items)
    assert encoded.values.shape == (30, 1, 4000)  # six of sixteen pieces of each are silent
    assert encoded.items.tolist() == [0] * 10 + [1] * 10 + [2] * 10
    assert "30 pieces are used; 18 silent ones are left out" in encoded.notes
    first = encoded.values[0, 0].float()
    assert torch.fft.rfft(first).abs().argmax() == 150  # 300 Hz in half a second
    assert (encoded.values[0].int() - encoded.values[10].int()).abs().max() < 20  # only their levels differ


def test_clipping_is_recognized():
    x = 1.5 * np.sin(np.arange(1000) / 20)
    assert clipped(np.clip(x, -1, 1)[:, None])
    assert not clipped(x[:, None] / 1.51)
    assert not clipped(np.clip(x, -1, 1)[:, None] / 2)


@pytest.mark.parametrize("form", ["folder", "zip", "tar"])
def test_folders_and_archives(sounds, tmp_path, form):
    place = sounds
    if form == "zip":
        place = tmp_path / "s.zip"
        with zipfile.ZipFile(place, "w") as archive:
            for path in sounds.rglob("*.wav"):
                archive.write(path, path.relative_to(sounds))
    elif form == "tar":
        place = tmp_path / "s.tar"
        with tarfile.open(place, "w") as archive:
            archive.add(sounds, ".")
    items = find(str(place))
    assert (items.kind, len(items), items.classes) == ("audio", 24, ("high", "low"))
    modality = Audio().fit(items)
    assert (modality.rate, modality.channels, modality.bits) == (RATE, 1, 16)
    assert modality.length == 2560  # 95% have at most 0.29 seconds, in steps of 256
    encoded = modality.encode(items)
    assert encoded.values.load().shape == (24, 1, 2560)
    assert any("2,560 samples at 8,000 Hz (0.32 s): 0 of 24 sounds are longer" in note for note in encoded.notes)


def test_nothing_is_dropped_silently(sounds):
    (sounds / "low" / "broken.wav").write_bytes(content(tone(300, 0.2))[:500])
    soundfile.write(sounds / "low" / "other.flac", tone(300, 0.2, 16_000), 16_000)
    (sounds / "notes.txt").write_text("recorded at home")
    items = find(str(sounds))
    assert items.notes == ("passed over in sounds: 1 .txt, which are no sounds",)
    encoded = Audio().fit(items).encode(items)
    assert [name for name, _ in encoded.skipped] == ["low/broken.wav"]
    assert any("1 at 16,000 Hz of 25 examined sounds are resampled to 8,000 Hz" in note for note in encoded.notes)


def test_pictures_with_a_few_sounds_are_no_sounds(sounds, pictures, tmp_path):
    folder = tmp_path / "mixed"
    shutil.copytree(pictures(3), folder)
    shutil.copy(sounds / "low" / "00.wav", folder)
    assert find(str(folder)).kind == "images"


def test_spoken_digits_have_classes_and_a_test_part(tmp_path):
    for digit in (0, 7):
        for index in range(12):
            soundfile.write(tmp_path / f"{digit}_jackson_{index}.wav", tone(300, 0.2), RATE)
    items = find(str(tmp_path))
    assert items.classes == ("0", "7")
    assert items.labels.tolist() == [0] * 12 + [1] * 12
    assert items.held.sum() == 10
    assert sorted({items.items.names[i] for i in np.flatnonzero(items.held)})[0] == "0_jackson_0.wav"


def test_bad_input(sounds, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.xyz").write_text("no sounds")
    with pytest.raises(InputError, match="a folder, zip or tar of sounds"):
        find(str(tmp_path / "other"))
    with pytest.raises(InputError, match="single sound"):
        find(str(sounds / "low" / "00.wav"))
    items = find(str(sounds))
    for settings, message in [
        ({"seconds": 0.001}, r"seconds=0.001 is 8 samples at 8,000 Hz, which models cannot generate; give 0.032"),
        ({"seconds": 500.0}, r"seconds=500 is 4,000,000 samples"),
        ({"rate": 10}, "rate=10 is out of range"),
        ({"channels": 7}, "channels=7 was given"),
        ({"form": "mel", "side": 2000}, "size=2000 was given for sounds of 2,560 samples"),
    ]:
        with pytest.raises(InputError, match=message):
            Audio(**settings).fit(items)


def test_seven_channels_are_refused(tmp_path):
    for i in range(3):
        soundfile.write(tmp_path / f"{i}.wav", np.zeros((100, 7)) + 0.1, RATE)
    with pytest.raises(InputError, match=r"none of its sounds can be read \(0.wav: it has 7 channels"):
        Audio().fit(find(str(tmp_path)))


def test_survey(sounds):
    same, _ = soundfile.read(sounds / "low" / "00.wav", dtype="int16")
    soundfile.write(sounds / "low" / "again.flac", same, RATE)
    soundfile.write(sounds / "low" / "loud.wav", np.clip(tone(300, 0.2) * 4, -1, 1), RATE)
    soundfile.write(sounds / "low" / "quiet.wav", tone(310, 0.2) / 50, RATE)
    survey = Audio.survey(find(str(sounds)), "sounds")
    rows = dict(survey.rows())
    assert rows["sounds"] == "27 of 27 can be read"
    assert rows["rates"] == "8,000 Hz (27)"
    assert rows["duplicates"] == "1: low/00.wav = low/again.flac"
    assert rows["clipped"] == "1: low/loud.wav"
    assert rows["quiet"] == "1: low/quiet.wav"
    assert survey.content()["sounds"]["low/00.wav"]["seconds"] == 0.2


def test_stored_sounds_keep_their_samples(sounds):
    items = find(str(sounds))
    modality = Audio().fit(items)
    encoded = modality.encode(items).values.load()
    values = modality.scale(encoded)
    assert values.abs().amax((1, 2)).allclose(values.new_ones(24))
    assert (modality.unscale(values) == encoded).all()
    x, _ = soundfile.read(sounds / "high" / "00.wav")
    again = modality.decode({VALUES: values[:1]})[0, : len(x), 0] / modality.gain
    assert np.abs(again - x / np.abs(x).max()).max() < 1e-4
