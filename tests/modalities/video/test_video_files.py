"""Clips as files that others read: number of frames, times, colors and alpha."""

import numpy as np
import pytest
from PIL import Image, ImageSequence

from sparring.errors import InputError
from sparring.modalities import Samples
from sparring.modalities.video import Video, drawing, reading, writers

av = pytest.importorskip("av")


def kind(rate=10.0, channels=3, frames=6, size=12):
    return Video(size=size, channels=channels, frames=frames, rate=rate, loop=False, stride=1)


def samples(n=2, t=6, size=12, channels=3, rate=10.0):
    random = np.random.default_rng(0)
    items = random.integers(0, 255, (n, t, size, size, channels), dtype=np.uint8)
    return Samples(items, None, kind(rate, channels, t, size))


@pytest.mark.parametrize("rate", [10.0, 25.0, 33.333, 30000 / 1001])
def test_mp4_has_all_frames_at_the_rate(rate, tmp_path):
    samples(t=7, rate=rate).save(tmp_path / "s.mp4")
    with av.open(str(tmp_path / "s.mp4")) as file:
        stream = file.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in file.decode(stream)]
        assert len(frames) == stream.frames == 7
        assert float(stream.average_rate) == pytest.approx(rate, rel=1e-4)


def test_mp4_is_visually_lossless(tmp_path):
    """Even of noise in all colors, because small frames are enlarged first."""
    given = samples(n=1)
    given.save(tmp_path / "s.mp4")
    with av.open(str(tmp_path / "s.mp4")) as file:
        frames = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
    times = frames[0].shape[0] // 12
    small = np.stack([frame[times // 2 :: times, times // 2 :: times] for frame in frames])
    assert np.abs(small.astype(int) - given.items[0]).mean() < 4


def test_odd_sides_are_extended(tmp_path):
    clip = np.zeros((1, 3, 301, 299, 3), np.uint8)
    writers.write_mp4(clip, 10, tmp_path / "s.mp4")
    with av.open(str(tmp_path / "s.mp4")) as file:
        assert (file.streams.video[0].width, file.streams.video[0].height) == (300, 302)


@pytest.mark.parametrize("suffix", [".webp", ".apng"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_lossless_animations(suffix, channels, tmp_path):
    given = samples(n=1, channels=channels)
    given.save(tmp_path / f"s{suffix}")
    mode = "RGBA" if channels == 4 else "RGB"
    with Image.open(tmp_path / f"s{suffix}") as image:
        frames = np.stack([np.asarray(frame.convert(mode)) for frame in ImageSequence.Iterator(image)])
    expected = given.items[0] if channels > 1 else given.items[0].repeat(3, -1)
    if channels == 4:  # fully transparent pixels have no color
        frames, expected = (np.where(pixels[..., 3:] > 0, pixels, 0) for pixels in (frames, expected))
    assert np.array_equal(frames, expected)


@pytest.mark.parametrize("rate", [10.0, 24.0, 30.0])
@pytest.mark.parametrize("suffix", [".gif", ".webp", ".apng"])
def test_animations_are_as_long_as_the_clip(suffix, rate, tmp_path):
    """Rounded delays would make 12 frames at 24 a second 20 ms too short in a GIF."""
    samples(t=12, rate=rate).save(tmp_path / f"s{suffix}")
    with Image.open(tmp_path / f"s{suffix}") as image:
        delays = []
        for i in range(image.n_frames):
            image.seek(i)
            image.load()
            delays.append(image.info["duration"])
    assert len(delays) == 12
    assert sum(delays) / 1000 == pytest.approx(12 / rate, abs=0.006)


def test_a_folder_can_be_read_again(tmp_path):
    given = samples(n=3, channels=4)
    labeled = Samples(given.items, np.array([0, 1, 1]), kind(channels=4).with_classes(("a", "b"), np.array([0, 1])))
    labeled.save(tmp_path / "folder")
    items = reading.read(tmp_path / "folder")
    assert (len(items), items.classes) == (3, ("a", "b"))
    assert kind(channels=4).read_given(tmp_path / "folder").shape == given.items.shape


def test_several_clips_play_side_by_side():
    clips = np.stack([np.full((2, 3, 4, 1), i, np.uint8) for i in range(3)])
    page = writers.side_by_side(clips)
    assert page.shape == (2, 6, 8, 1)
    assert page[0, :, :, 0][[0, 0, 3, 3], [0, 4, 0, 4]].tolist() == [0, 1, 2, 255]


def test_sheets():
    clips = samples(n=3).items
    assert drawing.contact_sheet(clips).width > drawing.contact_sheet(clips).height
    assert drawing.strip(clips[0]).size == (6 * 12, 12)
    assert drawing.slices(clips).width > 3 * 12
    sheet = np.asarray(drawing.matrix(np.concatenate([clips] * 2)[:4], 2).convert("L"))
    assert sheet.shape[0] == sheet.shape[1]
    assert drawing.stacked([drawing.strip(clips[0]), drawing.slices(clips)]).width >= 72


def test_npz_and_json(tmp_path):
    given = samples(rate=20.0)
    given.save(tmp_path / "s.npz")
    stored = np.load(tmp_path / "s.npz")
    assert np.array_equal(stored["clips"], given.items)
    assert stored["rate"] == 20
    answer = given.modality.as_json(given)
    assert answer["rate"] == 20
    assert len(answer["clips"]) == 2


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"length": 0}, "length=0 is out of range"),
        ({"length": 2.5}, "out of range"),
        ({"rate": 0}, "rate=0 is out of range"),
        ({"motion": -1}, "motion=-1 is out of range"),
    ],
)
def test_unusable_requests(asked, message):
    with pytest.raises(InputError, match=message):
        kind().request(**asked)


def test_requests():
    request = kind(rate=10.0).request(length=64, rate=25, content=5)
    assert (request.length, request.every, request.seeds) == (64, 0.4, {"content": 5})
    assert kind(rate=10.0).answered(request).rate == 25
    assert kind().numbers_of(64) == 64 * 12 * 12 * 3
