"""Images of any size, format and mode are transformed correctly."""

import importlib
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from test_cli import sparring
from torch.nn import functional as F

from sparring.errors import InputError
from sparring.modalities import Degraded
from sparring.modalities.translation.files import png
from sparring.nets.tiles import Mapper
from sparring.use.apply import apply

SAME = Mapper(lambda x: x, 3, 3)
GREY = Mapper(lambda x: x, 1, 1)
TWICE = Mapper(lambda x: F.interpolate(x, scale_factor=2, mode="nearest"), 3, 3, times=2)
FILLER = Mapper(lambda x: torch.full_like(x[:, :3], 1.0), 4, 3, masked=True)  # fills with white
NEGATIVE = Mapper(lambda x: -x, 3, 3)


class Fake:
    """What `load` returns, with a net of the test's."""

    modality = Degraded()

    def __init__(self, mapper):
        self._mapper = mapper

    def mapper(self, reverse, sharpness):
        if reverse:
            raise InputError("this model knows one way only; leave out --reverse")
        assert sharpness == 1.0
        return self._mapper


@pytest.fixture
def using(monkeypatch):
    def use(mapper):
        monkeypatch.setattr(importlib.import_module("sparring.use.apply"), "load", lambda *_: Fake(mapper))

    return use


def colours(height=30, width=40, channels=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


def saved(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
    Image.fromarray(pixels).save(path, **options)
    return path


def pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


@settings(max_examples=40, deadline=None)
@given(height=st.integers(1, 20), width=st.integers(1, 20), channels=st.integers(1, 4), cut=st.integers(0, 20))
def test_pngs_are_what_pil_reads(tmp_path_factory, height, width, channels, cut):
    picture = colours(height, width, channels, cut)
    path = tmp_path_factory.getbasetemp() / "streamed.png"
    cuts = [band for band in (picture[:cut], picture[cut:]) if len(band)]
    png.write(path, width, height, channels, iter(cuts), None)
    with Image.open(path) as read:
        read.verify()  # checks every checksum
    with Image.open(path) as read:
        assert read.mode == ["L", "LA", "RGB", "RGBA"][channels - 1]
        assert np.array_equal(np.asarray(read).reshape(picture.shape), picture)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp"])
def test_lossless_formats_keep_every_pixel(using, tmp_path, suffix):
    using(SAME)
    source = saved(tmp_path / "in.png", colours())
    assert apply("run", source, tmp_path / f"out{suffix}").count == 1
    assert np.array_equal(pixels(tmp_path / f"out{suffix}"), colours())


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_lossy_formats_are_near(using, tmp_path, suffix):
    using(TWICE)
    smooth = np.tile(np.linspace(0, 255, 40).astype(np.uint8)[None, :, None], (30, 1, 3))
    apply("run", saved(tmp_path / "in.png", smooth), tmp_path / f"out{suffix}")
    made = pixels(tmp_path / f"out{suffix}")
    assert made.shape == (60, 80, 3)
    assert np.abs(made.astype(int) - smooth.repeat(2, 0).repeat(2, 1)).mean() < 2


def test_channels_are_what_the_net_takes(using, tmp_path):
    grey = saved(tmp_path / "grey.png", colours(channels=1))
    using(SAME)
    apply("run", grey, tmp_path / "rgb.png")
    assert np.array_equal(pixels(tmp_path / "rgb.png"), colours(channels=1).repeat(3, -1))
    using(GREY)
    apply("run", saved(tmp_path / "in.png", colours()), tmp_path / "l.png")
    assert np.array_equal(pixels(tmp_path / "l.png"), np.asarray(Image.fromarray(colours()).convert("L")))


def test_sixteen_bits(using, tmp_path):
    using(GREY)
    shades = colours(channels=1).squeeze()
    saved(tmp_path / "in.png", shades.astype(np.uint16) * 257)
    apply("run", tmp_path / "in.png", tmp_path / "out.png")
    assert np.array_equal(pixels(tmp_path / "out.png"), shades)


def test_upright(using, tmp_path):
    using(SAME)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was rotated
    saved(tmp_path / "in.png", colours(), exif=exif)
    apply("run", tmp_path / "in.png", tmp_path / "out.png")
    assert np.array_equal(pixels(tmp_path / "out.png"), np.rot90(colours(), -1))


def test_color_profiles(using, tmp_path):
    """Kept if they fit the color space of the result, left out otherwise."""
    using(SAME)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    source = saved(tmp_path / "in.png", colours(), icc_profile=profile)
    for name in ("out.png", "out.jpg", "out.webp", "out.tif"):
        apply("run", source, tmp_path / name)
        with Image.open(tmp_path / name) as made:
            assert made.info["icc_profile"] == profile
    inks = Image.fromarray(colours()).convert("CMYK")
    inks.save(tmp_path / "inks.jpg", icc_profile=profile[:16] + b"CMYK" + profile[20:])
    apply("run", tmp_path / "inks.jpg", tmp_path / "from_inks.png")
    with Image.open(tmp_path / "from_inks.png") as made:
        assert "icc_profile" not in made.info
        assert made.mode == "RGB"


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_transparency_comes_back(using, tmp_path, monkeypatch, suffix):
    monkeypatch.setattr("sparring.nets.tiles.TILE_SIDE", 32)  # several bands, each with its part of the alpha
    using(TWICE)
    picture = colours(90, 40, 4)
    apply("run", saved(tmp_path / "in.png", picture), tmp_path / f"out{suffix}")
    made = pixels(tmp_path / f"out{suffix}")
    whole = Image.fromarray(picture[..., 3].astype(np.float32)).resize((80, 180), Image.Resampling.BICUBIC)
    alpha = np.asarray(whole).round().clip(0, 255)
    assert np.array_equal(made[..., :3], picture[..., :3].repeat(2, 0).repeat(2, 1))
    assert np.abs(made[..., 3] - alpha).max() <= 1
    assert (made[..., 3] == alpha).mean() > 0.999  # except for rounded halves


def test_transparency_lies_on_white_where_there_is_none(using, tmp_path):
    using(NEGATIVE)
    picture = colours(channels=4)
    picture[..., 3] = 0
    apply("run", saved(tmp_path / "in.png", picture), tmp_path / "out.bmp")
    assert np.array_equal(pixels(tmp_path / "out.bmp"), np.zeros((30, 40, 3), np.uint8))


def test_nets_of_transparent_images(using, tmp_path):
    using(Mapper(lambda x: x, 4, 4))
    source = saved(tmp_path / "in.png", colours(channels=4))
    apply("run", source, tmp_path / "out.png")
    assert np.array_equal(pixels(tmp_path / "out.png"), colours(channels=4))
    apply("run", source, tmp_path / "out.bmp")
    with Image.open(source) as read:
        white = Image.alpha_composite(Image.new("RGBA", read.size, "white"), read)
    assert np.array_equal(pixels(tmp_path / "out.bmp"), np.asarray(white)[..., :3])


def test_a_mask_says_what_is_filled(using, tmp_path, monkeypatch):
    monkeypatch.setattr("sparring.nets.tiles.TILE_SIDE", 16)
    using(FILLER)
    source = saved(tmp_path / "in.png", colours())
    mask = np.zeros((30, 40), np.uint8)
    mask[5:20, 10:30] = 1  # dark, but not black
    apply("run", source, tmp_path / "out.png", saved(tmp_path / "mask.png", mask))
    expected = np.where(mask[..., None] > 0, 255, colours())
    assert np.array_equal(pixels(tmp_path / "out.png"), expected)


def test_the_mask_reaches_the_net(using, tmp_path):
    seen = []
    using(Mapper(lambda x: seen.append(x[0, 3].clone()) or x[:, :3], 4, 3, masked=True))
    mask = np.zeros((32, 32), np.uint8)
    mask[:4] = 255
    apply("run", saved(tmp_path / "a.png", colours(32, 32)), tmp_path / "b.png", saved(tmp_path / "m.png", mask))
    assert torch.equal(seen[0], torch.from_numpy(mask.astype(np.float32)) / 127.5 - 1)


def test_holes_are_filled(using, tmp_path):
    using(FILLER)
    picture = colours(channels=4)
    apply("run", saved(tmp_path / "in.png", picture), tmp_path / "out.png")
    made = pixels(tmp_path / "out.png")
    assert np.array_equal(made, np.where(picture[..., 3:] < 128, 255, picture[..., :3]))


def test_folders(using, tmp_path, capsys):
    """Names and sub-folders are kept, formats that cannot be written become PNGs, broken files are named."""
    using(NEGATIVE)
    source = tmp_path / "in"
    saved(source / "a.png", colours(seed=1))
    saved(source / "deep" / "er" / "b.bmp", colours(seed=2))
    saved(source / "c.tga", colours(seed=3))
    (source / "broken.png").write_bytes(b"not a picture")
    (source / "notes.txt").write_text("hello")
    out = source / "out"
    assert apply("run", source, out, quiet=False).count == 3
    assert sorted(p.relative_to(out).as_posix() for p in out.rglob("*.*")) == ["a.png", "c.tga.png", "deep/er/b.bmp"]
    assert np.array_equal(pixels(out / "deep" / "er" / "b.bmp"), 255 - colours(seed=2))
    assert "skipped broken.png: not an image" in capsys.readouterr().out
    assert apply("run", source, out, force=True).count == 3  # results are not sources
    with pytest.raises(InputError, match="exists already"):
        apply("run", source, out)
    with pytest.raises(InputError, match="is the folder of the source"):
        apply("run", source, source, force=True)


def test_folders_of_masks(using, tmp_path):
    using(FILLER)
    source, masks = tmp_path / "in", tmp_path / "masks"
    saved(source / "x" / "a.png", colours(seed=1))
    saved(source / "b.bmp", colours(seed=2))
    saved(masks / "x" / "a.png", np.full((30, 40), 255, np.uint8))
    with pytest.raises(InputError, match=r"no mask for b\.bmp"):
        apply("run", source, tmp_path / "out", masks)
    saved(masks / "b.png", np.zeros((30, 40), np.uint8))
    assert apply("run", source, tmp_path / "out", masks).count == 2
    assert pixels(tmp_path / "out" / "x" / "a.png").min() == 255
    assert np.array_equal(pixels(tmp_path / "out" / "b.bmp"), colours(seed=2))


def test_what_cannot_work(using, tmp_path):
    using(SAME)
    source = saved(tmp_path / "in.png", colours())
    mask = saved(tmp_path / "mask.png", np.zeros((3, 4), np.uint8))
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.png").write_bytes(b"")
    cases = [
        ((tmp_path / "none.png", tmp_path / "o.png"), r"there is no .*none\.png"),
        ((source, tmp_path / "o.xyz"), r"o\.xyz does not fit"),
        ((source, tmp_path / "o.mp4"), r"o\.mp4 does not fit"),
        ((source, tmp_path / "empty"), "is a folder, and a file"),
        ((source, source), "exists already"),
        ((tmp_path / "empty", tmp_path / "o"), "holds no images"),
        ((tmp_path / "empty", tmp_path / "o.png"), "is a folder; give a folder"),
        ((tmp_path / "bad", tmp_path / "o"), "none of the 1 images in .* can be used; a.png: the file is empty"),
        ((tmp_path / "bad" / "a.png", tmp_path / "o.png"), "the file is empty"),
        ((source, tmp_path / "o.png", mask), "fills no holes"),
        ((source, tmp_path / "o.png", tmp_path / "empty"), "a file for a file"),
        ((source, tmp_path / "o.png", None, True), "one way only"),
    ]
    for given_, message in cases:
        with pytest.raises(InputError, match=message) as error:
            apply("run", *given_)
        assert "\n" not in str(error.value)
    assert not list(tmp_path.glob("o*"))
    assert not list(tmp_path.glob(".o*"))


def test_masks_that_do_not_fit(using, tmp_path):
    using(FILLER)
    source = saved(tmp_path / "in.png", colours())
    with pytest.raises(InputError, match=r"4 x 3 pixels and .* has 40 x 30"):
        apply("run", source, tmp_path / "o.png", saved(tmp_path / "mask.png", np.zeros((3, 4), np.uint8)))
    with pytest.raises(InputError, match="no transparent pixels"):
        apply("run", source, tmp_path / "o.png")
    (tmp_path / "text.png").write_text("hello")
    with pytest.raises(InputError, match=r"the mask .*text\.png cannot be read"):
        apply("run", source, tmp_path / "o.png", tmp_path / "text.png")


def test_sides_beyond_a_format(using, tmp_path):
    using(Mapper(lambda x: F.interpolate(x, scale_factor=8, mode="nearest"), 3, 3, times=8))
    source = saved(tmp_path / "in.png", colours(1, 8200))
    with pytest.raises(InputError, match=r"exceed the 65,500 a side of JPEG; write a \.png"):
        apply("run", source, tmp_path / "out.jpg")
    apply("run", source, tmp_path / "out.png")
    assert pixels(tmp_path / "out.png").shape == (8, 65600, 3)


def test_a_net_that_fails_leaves_nothing(using, tmp_path):
    def failing(_):
        raise InputError("no")

    using(Mapper(failing, 3, 3))
    with pytest.raises(InputError):
        apply("run", saved(tmp_path / "in.png", colours()), tmp_path / "out.png")
    assert [p.name for p in tmp_path.iterdir()] == ["in.png"]


def test_as_typed(using, tmp_path, monkeypatch, capsys):
    using(NEGATIVE)
    saved(tmp_path / "in" / "a.png", colours(seed=1))
    saved(tmp_path / "in" / "b.png", colours(seed=2))
    status, out, _ = sparring(monkeypatch, capsys, "apply", "run", tmp_path / "in", "-o", tmp_path / "out")
    assert (status, out.splitlines()[-1]) == (0, f"2 images in {tmp_path / 'out'}")
    status, out, _ = sparring(monkeypatch, capsys, "apply", "run", tmp_path / "in/a.png", "-o", tmp_path / "a.png")
    assert (status, out.splitlines()[-1]) == (0, f"1 image in {tmp_path / 'a.png'}")
    status, _, err = sparring(monkeypatch, capsys, "apply", "run", tmp_path / "in/a.png", "-o", tmp_path / "a.png")
    assert status == 2
    assert "--force" in err
    assert len(err.splitlines()) == 1


MEASURED = """
import resource, sys
import numpy as np, torch
from pathlib import Path
from PIL import Image
from torch import nn
from sparring.modalities.translation.files.photos import read, write
from sparring.nets.tiles import Mapper

width, times, *heights = map(int, sys.argv[2:])
folder = Path(sys.argv[1])
row = np.arange(width * 3, dtype=np.uint8).reshape(1, width, 3)
layers = [nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 3 * times**2, 3, padding=1), nn.PixelShuffle(times)]
mapper = Mapper(nn.Sequential(*layers), 3, 3, times, reach=2)
for height in heights:
    Image.fromarray(row.repeat(height, 0)).save(folder / "in.png", compress_level=1)
    write(folder / "out.png", read(folder / "in.png", folder / "out.png", mapper), mapper)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def peaks(folder, width, times, *heights):
    """Peak memory in MiB of a process that applies a small net to images, after each."""
    words = [sys.executable, "-c", MEASURED, str(folder), *map(str, (width, times, *heights))]
    return [float(line) for line in subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()]


def test_memory_does_not_grow_with_the_result(tmp_path):
    """A result that is 48 MiB larger needs no more memory; an image that is 3 MiB larger needs a few copies."""
    first, second = peaks(tmp_path, 256, 4, 1024, 5120)
    assert second - first < 24


@pytest.mark.slow
@pytest.mark.parametrize("times", [2, 4])
def test_24_megapixels(tmp_path, monkeypatch, times):
    (most,) = peaks(tmp_path, 6000, times, 4000)
    print(f"{most:.0f} MiB")
    assert most < 2048
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    with Image.open(tmp_path / "out.png") as made:
        assert made.size == (6000 * times, 4000 * times)
