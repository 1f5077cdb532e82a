"""Films with their own sound: what is seen and heard at the same time stays together."""

import av
import numpy as np
import pytest
import torch
from things import COLORS, PITCHES

from sparring import recipes
from sparring.errors import InputError
from sparring.modalities import find
from sparring.modalities.joint import Joint
from sparring.modalities.joint.soundtracks import Soundtracks
from sparring.modalities.joint.tuples import MISSING
from sparring.modalities.samples import Samples

RATE = 8  # frames a second; clips have 16
HEARD = 16_000
NAMES = list(COLORS)


def film(path, colors, sound=True, late=0.0):
    """A film of two seconds of each color, with its pitch, which begins late."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as file:
        video = file.add_stream("libx264", rate=RATE, options={"crf": "1"})
        video.width = video.height = 16
        video.pix_fmt = "yuv420p"
        track = file.add_stream("pcm_s16le", rate=HEARD, layout="stereo") if sound else None
        for name in colors:
            for i in range(2 * RATE):
                pixels = np.full((16, 16, 3), COLORS[name], np.uint8)
                pixels[:, i] = 0
                file.mux(video.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        file.mux(video.encode())
        if track is not None:
            times = np.arange(2 * HEARD) / HEARD
            wave = np.concatenate([np.sin(2 * np.pi * PITCHES[name] * times) for name in colors])
            wave = wave[: len(wave) - round(late * HEARD)]
            planes = np.ascontiguousarray(np.stack([wave, wave], 1).reshape(1, -1) * 2**14).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(planes, format="s16", layout="stereo")
            frame.sample_rate = HEARD
            frame.pts = round(late * HEARD)
            file.mux(track.encode(frame))
            file.mux(track.encode())


def asked(path):
    return find(path, recipes.find("joint").takes)


def pitches(sounds, rate):
    """The loudest frequency of each sound (n, length, channels)."""
    spectra = np.abs(np.fft.rfft(sounds.mean(2), axis=1))
    return spectra.argmax(1) * rate / sounds.shape[1]


def decoded(items):
    fitted = Joint().fit(items)
    return fitted, fitted.decode(fitted.batch(fitted.encode(items).tensors)).parts


def test_each_clip_has_the_sound_of_its_seconds(tmp_path):
    order = [[NAMES[i % 3], NAMES[(i + 1) % 3], NAMES[i % 2]] for i in range(22)]
    for i, colors in enumerate(order):
        film(tmp_path / "films" / f"{i:02}.mkv", colors)
    items = asked(tmp_path / "films")
    assert len(items) == 66
    assert "22 films with sound: 66 clips of 2 seconds" in items.notes
    fitted, parts = decoded(items)
    rate = next(part.modality.rate for part in fitted.parts if part.name == "sound")
    shown = parts["film"].mean((1, 2, 3)).argmax(1)
    assert shown.tolist() == [NAMES.index(name) for colors in order for name in colors]
    expected = [PITCHES[name] for colors in order for name in colors]
    np.testing.assert_allclose(pitches(parts["sound"], rate), expected, atol=2)
    split = fitted.split(items)
    assert len(split.held) == 6  # two whole films
    assert not {i // 3 for i in split.held.tolist()} & {i // 3 for i in split.train.tolist()}


def test_sound_that_begins_late_stays_in_its_place(tmp_path):
    for i in range(2):
        film(tmp_path / "films" / f"{i}.mkv", ["red"] if i else ["blue"], late=0.5)
    _, parts = decoded(asked(tmp_path / "films"))
    level = np.abs(parts["sound"]).max(2)
    assert level[:, : int(0.48 * HEARD)].max() < 0.01
    assert level[:, int(0.52 * HEARD) :].min(0).max() > 0.1


def test_films_without_sound_lack_the_part(tmp_path):
    for i in range(6):
        film(tmp_path / "films" / ("dogs" if i % 2 else "cats") / f"{i}.mkv", [NAMES[i % 3]], sound=i > 0)
    items = asked(tmp_path / "films")
    assert (items.items.rows["sound"] == MISSING).tolist() == [True, False, False, False, False, False]
    assert items.items.parts["label"].items["label"].tolist() == ["cats", "dogs"]
    assert items.items.rows["label"].tolist() == [0, 0, 0, 1, 1, 1]
    assert "1 of 6 items have no sound, which is masked in training" in Joint().fit(items).encode(items).notes


def test_silent_films_are_films_alone(tmp_path):
    for i in range(3):
        film(tmp_path / "films" / f"{i}.mkv", ["red"], sound=False)
    items = asked(tmp_path / "films")
    assert items.kind == "video"
    with pytest.raises(InputError, match="has video alone"):
        Joint().fit(items)


def test_films_beside_rows_bring_their_sound(tmp_path):
    for i in range(4):
        film(tmp_path / "films" / f"{i}.mkv", [NAMES[i % 3], "red", "blue"])
        (tmp_path / "films" / f"{i}.json").write_text(f'{{"color": "{NAMES[i % 3]}"}}')
    items = asked(tmp_path / "films")
    assert list(items.items.parts) == ["film", "row", "sound"]
    fitted, parts = decoded(items)
    assert [part.modality.length for part in fitted.parts if part.name == "sound"] == [2 * HEARD]
    np.testing.assert_allclose(pitches(parts["sound"], HEARD), [PITCHES[NAMES[i % 3]] for i in range(4)], atol=2)


def test_a_damaged_track_is_said(tmp_path):
    for i in range(3):
        film(tmp_path / "films" / f"{i}.mkv", ["red", "blue", "green"])
    items = asked(tmp_path / "films")
    (tmp_path / "films" / "1.mkv").write_bytes(b"damaged")
    tracks = items.items.parts["sound"].items
    assert isinstance(tracks, Soundtracks)
    contents = dict(tracks.contents())
    assert [isinstance(contents[i], bytes) for i in range(9)] == [*[True] * 3, *[False] * 3, *[True] * 3]
    assert "its sound cannot be read" in contents[3].why
    assert len(tracks.only([0, 8])) == 2
    assert dict(tracks.only([0, 8]).contents())[1] == contents[8]


def test_samples_are_written_as_films_with_sound(tmp_path):
    for i in range(4):
        film(tmp_path / "films" / f"{i}.mkv", [NAMES[i % 3]])
    items = asked(tmp_path / "films")
    fitted = Joint().fit(items)
    whole = fitted.decode(fitted.batch(fitted.encode(items).tensors))
    writer = next(writer for writer in fitted.writers if writer.suffix == ".mp4")
    writer.write(Samples(whole, None, fitted), tmp_path / "made.mp4")
    with av.open(str(tmp_path / "made.mp4")) as file:
        frames = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
    with av.open(str(tmp_path / "made.mp4")) as file:
        rate = file.streams.audio[0].sample_rate
        heard = np.concatenate([frame.to_ndarray()[0] for frame in file.decode(audio=0)])
    assert len(frames) == 4 * 16
    for i in range(4):
        middle = round((2 * i + 1) * rate)
        part = heard[middle - rate // 2 : middle + rate // 2][None, :, None]
        assert pitches(part, rate)[0] == pytest.approx(PITCHES[NAMES[i % 3]], abs=4)
        assert frames[16 * i + 8].mean((0, 1)).argmax() == i % 3


def test_models_of_films_and_sounds_are_restored(tmp_path):
    for i in range(3):
        film(tmp_path / "films" / f"{i}.mkv", [NAMES[i]])
    fitted = Joint().fit(asked(tmp_path / "films"))
    shapes = {part.name: part.shape for part in fitted.parts}
    assert shapes == {"film": (3, 16, 16, 16), "sound": (2, 2 * HEARD)}
    assert torch.isfinite(fitted.scale(fitted.encode(asked(tmp_path / "films")).tensors["values"])).all()
