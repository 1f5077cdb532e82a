"""Nets are applied to animations, and films keep their alpha where the format has it."""

import importlib

import numpy as np
import pytest
from PIL import Image
from test_apply import Fake
from test_cli import sparring
from torch.nn import functional as F

from sparring.errors import InputError
from sparring.modalities.video import animations, av_files
from sparring.nets.tiles import Mapper
from sparring.use.apply import apply

av = pytest.importorskip("av")

SAME = Mapper(lambda x: x, 3, 3)
TWICE = Mapper(lambda x: F.interpolate(x, scale_factor=2, mode="nearest"), 3, 3, times=2)
DURATIONS = [100, 40, 250, 30, 80]  # milliseconds


@pytest.fixture
def using(monkeypatch):
    def use(mapper):
        monkeypatch.setattr(importlib.import_module("sparring.use.apply"), "load", lambda *_: Fake(mapper))

    return use


def frames():
    """An opaque disc that moves over a transparent ground, (5, 32, 48, 4)."""
    found = np.zeros((5, 32, 48, 4), np.uint8)
    for i, frame in enumerate(found):
        frame[distances(i) < 10] = (200 - 20 * i, 40, 90, 255)
    return found


def distances(i):
    """Of the pixels from the center of the disc, (32, 48)."""
    rows, columns = np.mgrid[:32, :48]
    return np.hypot(rows - 15.5, columns - 11.5 - 6 * i)


def written(path, clip=None):
    """An animation, or a .webm of five frames in half a second."""
    clip = frames() if clip is None else clip
    images = [Image.fromarray(frame) for frame in clip]
    options = {
        ".webp": {"lossless": True}, ".gif": {"disposal": 2}, ".apng": {"format": "PNG", "blend": 0},
        ".png": {"blend": 0},
    }  # fmt: skip
    if path.suffix == ".webm":
        with av.open(str(path), "w") as file:
            stream = file.add_stream("libvpx-vp9", rate=10, options={"auto-alt-ref": "0", "crf": "4", "b": "0"})
            stream.height, stream.width, stream.pix_fmt = *clip.shape[1:3], "yuva420p"
            for pixels in clip:
                file.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgba")))
            file.mux(stream.encode())
    else:
        images[0].save(
            path, save_all=True, append_images=images[1:], duration=DURATIONS, loop=0, **options[path.suffix]
        )
    return path


def shown(path):
    """Frames (n, h, w, 4), and when each begins, in milliseconds."""
    reader = av_files if path.suffix == ".webm" else animations
    found = list(reader.shown(path, path.name))
    return np.stack([frame.image.convert("RGBA") for frame in found]), [round(1000 * frame.begin) for frame in found]


@pytest.mark.parametrize("target", [".webp", ".apng", ".gif", ".webm"])
@pytest.mark.parametrize("source", [".webp", ".gif", ".webm"])
def test_alpha_and_times_are_kept(using, tmp_path, source, target):
    using(TWICE)
    given, made = written(tmp_path / f"in{source}"), tmp_path / f"out{target}"
    assert apply("run", given, made, smooth=False).count == 5
    (before, begins), (after, times) = shown(given), shown(made)
    assert times == begins
    assert after.shape == (5, 64, 96, 4)
    corner = after[:, ::2, ::2].astype(int)  # a pixel of each square that a given one becomes
    away = np.stack([distances(i) for i in range(5)])
    assert corner[..., 3][away < 8].min() > 245
    assert corner[..., 3][away > 12].max() < 10
    assert np.abs(corner[..., :3] - before[..., :3])[away < 8].mean() < 8


def test_films_without_alpha_are_placed_on_white(using, tmp_path, monkeypatch, capsys):
    using(SAME)
    source, out = written(tmp_path / "in.webp"), tmp_path / "out.mp4"
    status, said, _ = sparring(monkeypatch, capsys, "apply", "run", source, "-o", out)
    assert status == 0
    assert "transparent frames of in.webp are placed on white in out.mp4" in " ".join(said.split())
    pixels, _ = shown(written(tmp_path / "same.webp", frames()))
    made = np.stack([frame.image for frame in av_files.shown(out, "out.mp4")]).astype(int)
    alpha = pixels[..., 3:] / 255
    assert np.abs(made - (pixels[..., :3] * alpha + 255 * (1 - alpha))).mean() < 4
    opaque = written(tmp_path / "opaque.webp", frames()[..., :3])
    _, said, _ = sparring(monkeypatch, capsys, "apply", "run", opaque, "-o", tmp_path / "opaque.mp4")
    assert "white" not in said


def test_opaque_animations_stay_opaque(using, tmp_path):
    using(SAME)
    clip = frames()[..., :3].copy()
    for target in (".webp", ".apng", ".gif", ".webm"):
        apply("run", written(tmp_path / "in.png", clip), tmp_path / f"out{target}", smooth=False)
        pixels, times = shown(tmp_path / f"out{target}")
        assert pixels[..., 3].min() == 255
        assert times == np.cumsum([0, *DURATIONS[:-1]]).tolist()
        assert np.abs(pixels[..., :3].astype(int) - clip).mean() < 6


def test_nets_that_generate_alpha(using, tmp_path):
    """Their own is written, not that of the input."""
    half = Mapper(lambda x: x * x.new_tensor([1, 1, 1, 0]).view(1, 4, 1, 1), 4, 4)
    using(half)
    apply("run", written(tmp_path / "in.webp"), tmp_path / "out.apng", smooth=False)
    assert set(np.unique(shown(tmp_path / "out.apng")[0][..., 3])) <= {127, 128}


def test_one_frame_is_taken_for_an_image_that_does_not_move(using, tmp_path):
    using(TWICE)
    moving = written(tmp_path / "in.webp")
    apply("run", moving, tmp_path / "first.png")
    with Image.open(tmp_path / "first.png") as first:
        assert (first.size, getattr(first, "n_frames", 1)) == ((96, 64), 1)
    Image.fromarray(frames()[0]).save(tmp_path / "still.webp")
    apply("run", tmp_path / "still.webp", tmp_path / "still-out.webp")
    with Image.open(tmp_path / "still-out.webp") as still:
        assert still.n_frames == 1
    with pytest.raises(InputError, match=r"out\.mp4 does not fit .*still\.webp; give a name that ends in \.png"):
        apply("run", tmp_path / "still.webp", tmp_path / "out.mp4")
    content = moving.read_bytes()
    moving.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError):
        apply("run", moving, tmp_path / "out.gif")
    assert not (tmp_path / "out.gif").exists()
