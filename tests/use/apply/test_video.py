"""Videos keep their frames, times and sound, and do not flicker where nothing moves."""

import importlib
import struct
from fractions import Fraction

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence
from test_apply import Fake
from test_cli import sparring
from torch.nn import functional as F

from sparring.errors import InputError
from sparring.modalities.translation.files.video import Steady
from sparring.modalities.video import av_files
from sparring.nets.tiles import Mapper, as_input
from sparring.use.apply import apply

av = pytest.importorskip("av")

SAME = Mapper(lambda x: x, 3, 3)
TWICE = Mapper(lambda x: F.interpolate(x, scale_factor=2, mode="nearest"), 3, 3, times=2)


@pytest.fixture
def using(monkeypatch):
    def use(mapper):
        monkeypatch.setattr(importlib.import_module("sparring.use.apply"), "load", lambda *_: Fake(mapper))

    return use


def scene(n=12, height=48, width=64, noise=2.0):
    """A static gradient with slight noise, and in front of it a moving bright block: (n, h, w, 3)."""
    random = np.random.default_rng(0)
    slope = np.linspace(40, 200, width)[None, None, :, None] * np.array([1.0, 0.8, 0.5])
    frames = np.repeat(slope, n, 0) * np.ones((n, height, width, 3)) + noise * random.normal(size=(n, height, width, 3))
    for i, frame in enumerate(frames):
        frame[30:46, 4 * i : 4 * i + 12] = 250
    return frames.clip(0, 255).round().astype(np.uint8)


def clip(path, frames, rate=24, times=None, sound=False):
    """A video with H.264 at almost no loss, and a tone of 440 Hz beside it."""
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=rate, options={"crf": "1"})
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv444p"
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 600)
        tone = file.add_stream("aac", rate=44100, layout="mono") if sound else None
        for i, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            if times is not None:
                frame.pts, frame.time_base = times[i], Fraction(1, 600)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
        if tone is not None:
            wave = np.sin(np.arange(44100 * len(frames) // rate) * 2 * np.pi * 440 / 44100, dtype=np.float32)
            samples = av.AudioFrame.from_ndarray(wave[None] / 2, format="fltp", layout="mono")
            samples.sample_rate, samples.pts = 44100, 0
            file.mux(tone.encode(samples))
            file.mux(tone.encode())
    return path


def shown(path):
    """A video's frames in RGB, (n, h, w, 3), and their times in seconds."""
    with av.open(str(path)) as file:
        frames = list(file.decode(video=0))
        return np.stack([frame.to_ndarray(format="rgb24") for frame in frames]), [frame.time for frame in frames]


def packets(path):
    """A video's sound as it is stored: bytes and times."""
    with av.open(str(path)) as file:
        return [(bytes(p), float(p.pts * p.time_base)) for p in file.demux(audio=0) if p.dts is not None]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_frames_rate_and_sound_are_kept(using, tmp_path, suffix):
    using(SAME)
    source, out = clip(tmp_path / "in.mp4", scene(), sound=True), tmp_path / f"out{suffix}"
    assert apply("run", source, out, smooth=False).count == 12
    before, after = shown(source), shown(out)
    late = after[1][0] - before[1][0]  # .mkv has no time before 0, where AAC begins: video and sound are shifted
    assert 0 <= late < (0.03 if suffix == ".mkv" else 1e-6)
    assert np.allclose(np.add(before[1], late), after[1], atol=1e-3)  # seconds; .mkv counts in milliseconds
    assert np.abs(before[0].astype(int) - after[0]).mean() < 3
    with av.open(str(out)) as file:
        video = file.streams.video[0]
        assert video.codec_context.name == "h264"
        assert video.codec_context.pix_fmt == "yuv420p"
        assert float(video.average_rate) == pytest.approx(24, rel=1e-3)
    kept = packets(out)
    assert [content for content, _ in kept] == [content for content, _ in packets(source)]
    assert np.allclose([t for _, t in kept], [t + late for _, t in packets(source)], atol=1e-3)


def test_uneven_times_are_kept(using, tmp_path):
    using(SAME)
    times = [0, 20, 30, 90, 100, 250, 251, 300]
    source = clip(tmp_path / "in.mp4", scene(8), times=times)
    assert apply("run", source, tmp_path / "out.mp4").count == 8
    assert np.allclose(shown(tmp_path / "out.mp4")[1], shown(source)[1], atol=1e-3)


def test_webm(using, tmp_path):
    """Another codec, and no sound if the format does not support it."""
    using(SAME)
    source = clip(tmp_path / "in.mp4", scene(5), sound=True)
    assert apply("run", source, tmp_path / "out.webm").count == 5
    frames, _ = shown(tmp_path / "out.webm")
    assert np.abs(frames.astype(int) - shown(source)[0]).mean() < 4
    with av.open(str(tmp_path / "out.webm")) as file:
        assert [stream.type for stream in file.streams] == ["video"]


def test_sides_become_even(using, tmp_path):
    using(TWICE)
    source = clip(tmp_path / "in.mkv", scene(3, 47, 61))
    apply("run", source, tmp_path / "out.mp4")
    assert shown(tmp_path / "out.mp4")[0].shape == (3, 94, 122, 3)
    using(SAME)
    apply("run", source, tmp_path / "same.mp4")
    assert shown(tmp_path / "same.mp4")[0].shape == (3, 48, 62, 3)


@pytest.mark.parametrize("space", ["ITU601", "ITU709"])
def test_colors_are_kept(using, tmp_path, space):
    """Colors look the same in players, whatever matrix the source is stored with."""
    using(SAME)
    red = np.full((32, 32, 3), (200, 30, 60), np.uint8)
    number = {"ITU601": 6, "ITU709": 1}[space]
    with av.open(str(tmp_path / "in.mp4"), "w") as file:
        stream = file.add_stream("libx264", rate=10, options={"crf": "1"})
        stream.width = stream.height = 32
        stream.pix_fmt, stream.codec_context.colorspace = "yuv420p", number
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(red, format="rgb24")
            file.mux(stream.encode(frame.reformat(format="yuv420p", dst_colorspace=space, dst_color_range="MPEG")))
        file.mux(stream.encode())
    apply("run", tmp_path / "in.mp4", tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as file:
        frame = next(file.decode(video=0))
        assert (frame.colorspace, frame.color_range) == (1, 1)
        made = frame.to_ndarray(format="rgb24", src_colorspace="ITU709")
    assert np.abs(made.mean((0, 1)) - red[0, 0]).max() < 6


def test_rotated_videos_become_upright(using, tmp_path):
    """As phones store them: rotated, with a matrix for the orientation."""
    using(SAME)
    source = clip(tmp_path / "in.mp4", scene(3))
    content = bytearray(source.read_bytes())
    place = content.index(b"tkhd") + 4 + 40
    quarter = (0, 1 << 16, 0, -(1 << 16), 0, 0, 48 << 16, 0, 1 << 30)  # 90 degrees clockwise
    content[place : place + 36] = struct.pack(">9i", *quarter)
    source.write_bytes(content)
    apply("run", source, tmp_path / "out.mp4", smooth=False)
    with av.open(str(tmp_path / "out.mp4")) as file:
        frame = next(file.decode(video=0))
        assert frame.rotation == 0
        made = frame.to_ndarray(format="rgb24")
    assert made.shape == (64, 48, 3)
    assert np.abs(made.astype(int) - np.rot90(scene(3)[0], -1)).mean() < 4


def flicker(frames):
    """Mean difference of successive frames above the path of the block, of 256 levels."""
    still = frames[:, :24].astype(float)
    return np.abs(np.diff(still, axis=0)).mean()


def test_less_flicker(using, tmp_path):
    """A net that amplifies noise: static parts flicker at most half as much, moving parts stay sharp."""
    sharpen = Mapper(lambda x: x + 4 * (x - F.avg_pool2d(F.pad(x, [1] * 4, "reflect"), 3, 1)), 3, 3, reach=1)
    using(sharpen)
    source = clip(tmp_path / "in.mp4", scene())
    apply("run", source, tmp_path / "alone.mp4", smooth=False)
    apply("run", source, tmp_path / "smooth.mp4")
    alone, smooth = shown(tmp_path / "alone.mp4")[0], shown(tmp_path / "smooth.mp4")[0]
    assert flicker(alone) > 4
    assert flicker(smooth) < flicker(alone) / 2
    block = smooth[-1, 34:42, 47:53].astype(int)  # where the block is now
    left = smooth[-1, 34:42, 34:40].astype(int)  # where it was three frames ago
    assert block.min() > 225
    assert np.abs(left - smooth[-1, 10:18, 34:40].astype(int)).mean() < 12


def test_steady_by_hand():
    """0.8 of the previous frame without a change, none of it after a large one; the first frame is unchanged."""
    steady = Steady(2)
    still = as_input(np.full((16, 16, 3), 100, np.uint8))
    changed = still.clone()
    changed[..., 8:] += 1.0
    zeros, ones = torch.zeros(1, 32, 32), torch.ones(1, 32, 32)
    assert torch.equal(steady(still, zeros), zeros)
    second = steady(changed, ones)
    assert second[0, :, :12] == pytest.approx(0.2)  # 6 input pixels: the blur reaches 2 beyond
    assert second[0, :, 20:].min() > 0.999
    third = steady(changed, ones)
    assert third[0, :, :12] == pytest.approx(0.2 + 0.8 * 0.2)


def gif(path, durations, size=(20, 16)):
    shades = np.linspace(0, 250, len(durations)).astype(np.uint8)
    frames = [Image.new("RGB", size, (shade, 80, 30)) for shade in map(int, shades)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=durations, loop=0)
    return path


def test_gifs_keep_their_durations(using, tmp_path):
    using(TWICE)
    durations = [100, 40, 250, 30, 500]
    source = gif(tmp_path / "in.gif", durations)
    assert apply("run", source, tmp_path / "out.gif", smooth=False).count == 5
    with Image.open(tmp_path / "out.gif") as made, Image.open(source) as given:
        assert [frame.info["duration"] for frame in ImageSequence.Iterator(made)] == durations
        assert made.size == (40, 32)
        for a, b in zip(ImageSequence.Iterator(made), ImageSequence.Iterator(given), strict=True):
            assert np.abs(np.subtract(a.convert("RGB").getpixel((9, 9)), b.convert("RGB").getpixel((4, 4)))).max() < 6
    assert apply("run", source, tmp_path / "out.mp4").count == 5
    times = shown(tmp_path / "out.mp4")[1]
    assert np.allclose(times, np.cumsum([0, *durations[:-1]]) / 1000, atol=2e-3)
    apply("run", source, tmp_path / "out.mkv")
    with av.open(str(tmp_path / "out.mkv")) as file:
        assert file.duration / av.time_base == pytest.approx(0.92, abs=2e-3)  # with the last frame's half a second
    assert apply("run", source, tmp_path / "first.png").count == 1  # the first frame as an image
    with Image.open(tmp_path / "first.png") as first:
        assert first.size == (40, 32)


@pytest.mark.parametrize("suffix", [".gif", ".mp4", ".webm", ".mkv"])
def test_gifs_of_hundredths_with_repeated_frames(using, tmp_path, suffix):
    """Equal frames are one that is shown for longer: 33.3 frames a second, but for one of 90 ms."""
    using(SAME)
    source, out = gif(tmp_path / "in.gif", [30, 30, 30, 90, 30, 30], (21, 15)), tmp_path / f"out{suffix}"
    assert apply("run", source, out, smooth=False).count == 6
    with av.open(str(out)) as file:
        times = [frame.time for frame in file.decode(video=0)]
        assert np.allclose(times, [0, 0.03, 0.06, 0.09, 0.18, 0.21], atol=2e-3)
        assert file.duration / av.time_base == pytest.approx(0.24, abs=2e-3)


@pytest.mark.parametrize("size", [(32, 48), (33, 47)])
def test_webm_with_alpha_and_without_a_count_of_frames(using, tmp_path, size):
    using(SAME)
    frames = np.concatenate([scene(7, 48, 64)[:, : size[0], : size[1]], np.full((7, *size, 1), 255, np.uint8)], -1)
    with av.open(str(tmp_path / "in.webm"), "w") as file:
        stream = file.add_stream("libvpx-vp9", rate=12)
        stream.height, stream.width = size
        stream.pix_fmt = "yuva420p"
        for pixels in frames:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgba")))
        file.mux(stream.encode())
    assert apply("run", tmp_path / "in.webm", tmp_path / "out.mp4", smooth=False).count == 7
    with av.open(str(tmp_path / "in.webm")) as given, av.open(str(tmp_path / "out.mp4")) as made:
        assert given.streams.video[0].frames == 0
        assert made.streams.video[0].frames == 7
        assert float(made.streams.video[0].average_rate) == pytest.approx(12, rel=1e-3)  # .webm counts milliseconds
        assert made.duration == pytest.approx(given.duration, abs=2000)


def test_a_gif_of_a_video_does_not_drift(using, tmp_path):
    using(SAME)
    apply("run", clip(tmp_path / "in.mp4", scene(12), rate=24), tmp_path / "out.gif")
    with Image.open(tmp_path / "out.gif") as made:
        assert sum(frame.info["duration"] for frame in ImageSequence.Iterator(made)) == 500


def test_masks_and_gray(using, tmp_path):
    using(Mapper(lambda x: torch.full_like(x[:, :3], 1.0), 4, 3, masked=True))
    source = clip(tmp_path / "in.mp4", scene(3))
    mask = np.zeros((48, 64), np.uint8)
    mask[:10] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    apply("run", source, tmp_path / "out.mp4", tmp_path / "mask.png", smooth=False)
    made = shown(tmp_path / "out.mp4")[0].astype(int)
    assert made[:, :9].mean() > 250
    assert np.abs(made[:, 12:] - scene(3)[:, 12:]).mean() < 4
    with pytest.raises(InputError, match="give the holes by --mask FILE"):
        apply("run", source, tmp_path / "no.mp4")
    Image.fromarray(mask[:8]).save(tmp_path / "small.png")
    with pytest.raises(InputError, match=r"64 x 8 pixels and .* has 64 x 48"):
        apply("run", source, tmp_path / "no.mp4", tmp_path / "small.png")
    using(Mapper(lambda x: x, 1, 1))
    apply("run", source, tmp_path / "grey.mp4")
    grey = shown(tmp_path / "grey.mp4")[0].astype(int)
    assert np.ptp(grey, -1).max() <= 3


def test_files_that_are_not_videos(using, tmp_path, monkeypatch, capsys):
    using(SAME)
    (tmp_path / "text.mp4").write_text("hello " * 100)
    (tmp_path / "empty.mp4").write_bytes(b"")
    cut = clip(tmp_path / "whole.mp4", scene()).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(cut[: len(cut) // 2])
    with av.open(str(tmp_path / "sound.mkv"), "w") as file:
        tone = file.add_stream("aac", rate=44100, layout="mono")
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 44100), np.float32), format="fltp", layout="mono")
        samples.sample_rate = 44100
        file.mux(tone.encode(samples))
        file.mux(tone.encode())
    for name in ("text.mp4", "empty.mp4", "cut.mp4", "sound.mkv"):
        words = ["apply", "run", tmp_path / name, "-o", tmp_path / "out.mp4"]
        status, _, err = sparring(monkeypatch, capsys, *words)
        assert status == 2
        assert len(err.splitlines()) == 1
        assert name in err
    assert not list(tmp_path.glob("*out*"))


def test_as_typed(using, tmp_path, monkeypatch, capsys):
    using(SAME)
    source, out = clip(tmp_path / "in.mp4", scene(4)), tmp_path / "out.mp4"
    status, said, _ = sparring(monkeypatch, capsys, "apply", "run", source, "-o", out, "--no-smooth")
    assert (status, said.splitlines()[-1]) == (0, f"4 frames in {out}")


def test_without_pyav(using, tmp_path, monkeypatch):
    using(SAME)
    source = clip(tmp_path / "in.mp4", scene(2))
    monkeypatch.setitem(importlib.import_module("sys").modules, "av", None)
    with pytest.raises(InputError, match=r"pip install 'sparring\[video\]'"):
        apply("run", source, tmp_path / "out.mp4")


def test_titles_in_any_encoding(tmp_path):
    """Text in a video's metadata is not always UTF-8."""
    title = "a title of a film"
    for suffix in (".mp4", ".mkv"):
        path = tmp_path / f"titled{suffix}"
        with av.open(str(path), "w") as file:
            file.metadata["title"] = title
            stream = file.add_stream("libx264", rate=10)
            stream.width = stream.height = 32
            stream.pix_fmt = "yuv420p"
            for packet in (*stream.encode(av.VideoFrame(32, 32, "yuv420p")), *stream.encode()):
                file.mux(packet)
        content = path.read_bytes()
        assert title.encode() in content
        for damaged in (b"\xff title of a film", b"\xe9\xe8\x96\x80tle of a film", b"a title of a fil\xc3"):
            path.write_bytes(content.replace(title.encode(), damaged))
            with av_files.opened(path, path.name) as clip:
                assert len(list(av_files.packets(clip, path.name))) == 1
