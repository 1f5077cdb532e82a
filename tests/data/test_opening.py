"""Every kind of image is decoded to the pixels that a viewer shows."""

import io

import numpy as np
import pytest
from PIL import Image

from sparring.data.sources import Unreadable
from sparring.modalities.images.decoding import Header, examine, loaded, opened, squared

SHADES = np.linspace(0, 255, 64).reshape(8, 8).round().astype(np.uint8)
COLOURS = np.stack([SHADES, SHADES[::-1], SHADES.T], -1)


def saved(picture, kind="PNG", **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def pixels(content, channels=3, size=8):
    return squared(loaded(content), size, channels).transpose(1, 2, 0).squeeze()


def test_plain_modes():
    assert np.array_equal(pixels(saved(Image.fromarray(SHADES)), 1), SHADES)
    assert np.array_equal(pixels(saved(Image.fromarray(COLOURS))), COLOURS)
    bits = Image.fromarray(SHADES > 100)
    assert np.array_equal(pixels(saved(bits), 1), np.where(SHADES > 100, 255, 0))


def test_palette():
    colours = Image.fromarray(COLOURS).quantize(64)
    assert np.array_equal(pixels(saved(colours)), np.asarray(colours.convert("RGB")))
    through = colours.copy()
    content = saved(through, transparency=int(np.asarray(colours)[0, 0]))
    shown = pixels(content, 4)
    assert shown[0, 0].tolist() == [0, 0, 0, 0]  # whatever the color of fully transparent pixels
    assert shown[4, 4, 3] == 255
    assert examine(content).channels == 4
    assert pixels(content, 3)[0, 0].tolist() == [255, 255, 255]  # on white without an alpha channel


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_of_gray(kind):
    deep = Image.fromarray(SHADES.astype(np.uint16) * 257)
    assert np.array_equal(pixels(saved(deep, kind), 1), SHADES)


@pytest.mark.parametrize("top", [1.0, 255.0])
def test_floats(top):
    content = saved(Image.fromarray((SHADES / 255 * top).astype(np.float32)), "TIFF")
    assert np.array_equal(pixels(content, 1), SHADES)


@pytest.mark.filterwarnings("error")
def test_floats_that_are_not_numbers():
    """Among others they become black, or white if infinite; an image of nothing else is unreadable."""
    shades = (SHADES / 255).astype(np.float32)
    shades[0, :3] = np.nan, np.inf, -np.inf
    shown = pixels(saved(Image.fromarray(shades), "TIFF"), 1)
    assert shown[0, :3].tolist() == [0, SHADES.max(), 0]
    assert np.array_equal(shown[1:], SHADES[1:])
    for value in (np.nan, np.inf):
        empty = saved(Image.fromarray(np.full((8, 8), value, np.float32)), "TIFF")
        assert loaded(empty).why == "damaged: its pixels are not numbers"
        assert examine(empty) == loaded(empty)


def test_cmyk():
    flat = Image.new("CMYK", (8, 8), (0, 255, 255, 0))  # red
    assert np.abs(pixels(saved(flat, "JPEG", quality=100))[4, 4].astype(int) - [255, 0, 0]).max() < 20


def test_rotated_by_exif():
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    wide = Image.fromarray(np.tile(SHADES, (1, 2)))
    content = saved(wide, "JPEG", quality=100, exif=exif)
    assert loaded(content).size == (8, 16)
    assert (examine(content).width, examine(content).height) == (8, 16)


def test_the_first_frame():
    frames = [Image.new("L", (8, 8), shade) for shade in (10, 200)]
    content = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert (pixels(content, 1) == 10).all()
    assert examine(content).frames == 2


def test_aspect_and_size():
    """The central square is kept, enlarged or reduced."""
    wide = np.zeros((8, 24), np.uint8)
    wide[:, 8:16] = 255
    assert (pixels(saved(Image.fromarray(wide)), 1, 4) > 230).all()  # resampling uses a few pixels beyond the edge


def test_examine():
    assert examine(saved(Image.fromarray(COLOURS))) == Header(8, 8, "PNG", "RGB", 3, 1)
    grey = Image.fromarray(np.stack([SHADES] * 3, -1))
    assert examine(saved(grey, "JPEG")).channels == 1
    opaque = Image.fromarray(COLOURS).convert("RGBA")
    assert examine(saved(opaque)).channels == 3


BAD = {
    "nothing": (b"", "empty"),
    "text": (b"hello, world", "not an image"),
    "cut off": (
        saved(Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)))[:900],
        "damaged",
    ),
    "a bomb": (saved(Image.new("1", (20_000, 20_000))), "decompression bomb"),
    "a program": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "not an image"),
}


@pytest.mark.parametrize("kind", ["PNG", "GIF", "TIFF", "JPEG", "WEBP", "BMP", "PPM", "AVIF", "ICO"])
def test_flipped_bytes_never_raise(kind):
    """A damaged file is an image or unreadable, whatever PIL raises."""
    random = np.random.default_rng(0)
    frames = [Image.fromarray(random.integers(0, 255, (16, 16, 3), dtype=np.uint8)) for _ in range(2)]
    more = {"save_all": True, "append_images": frames[1:]} if kind in ("GIF", "TIFF", "WEBP") else {}
    content = saved(frames[0], kind, **more)
    for _ in range(150):
        damaged = bytearray(content)
        for place in random.integers(len(content), size=random.integers(1, 4)):
            damaged[place] = random.integers(256)
        assert isinstance(examine(bytes(damaged)), Header | Unreadable)
        loaded(bytes(damaged))


def test_images_from_phones():
    """A JPEG with a second image appended, which PIL calls MPO, is a JPEG."""
    frames = [Image.fromarray(COLOURS), Image.fromarray(COLOURS[::-1])]
    content = saved(frames[0], "MPO", save_all=True, append_images=frames[1:])
    assert examine(content) == Header(8, 8, "JPEG", "RGB", 3, 1)


@pytest.mark.parametrize("case", BAD)
def test_unreadable(case):
    content, said = BAD[case]
    for read in (loaded, examine):
        found = read(content)
        assert isinstance(found, Unreadable)
        assert said in found.why
    assert opened(Unreadable("gone")) == Unreadable("gone")
