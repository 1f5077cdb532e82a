"""Images of more than eight bits: which of their values are black and white."""

import io
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin

from sparring.data.tensors import VALUES
from sparring.errors import InputError
from sparring.modalities import Degraded, Images, find
from sparring.modalities.images.decoding import loaded
from sparring.modalities.images.depth import Depth, Levels, choose, depth_of, eight_bits
from sparring.modalities.translation.paired import Paired

RAMP = np.linspace(0, 1, 16 * 16).reshape(16, 16)


def values_of(folder, **fields):
    """The fitted modality of a folder, its first image as bytes, and what the user is told."""
    items = find(folder)
    modality = Images(**fields).fit(items)
    encoded = modality.encode(items)
    return modality, encoded.values.load()[0].numpy(), encoded.notes


def written(folder, image, suffix, n=3, **options):
    """Some files of an image and of darker ones."""
    folder.mkdir()
    for i in range(n):
        Image.fromarray((image - image * i / 10).astype(image.dtype)).save(folder / f"{i}{suffix}", **options)
    return folder


@pytest.mark.parametrize(
    ("image", "suffix", "levels"),
    [
        ((RAMP * 4095).astype(np.uint16), ".png", (0, 4095)),
        ((RAMP * 4095).astype(np.uint16), ".tif", (0, 4095)),
        ((RAMP * 1000).astype(np.uint16), ".png", (0, 1023)),
        ((RAMP * 16_000).astype(np.uint16), ".tiff", (0, 16383)),
        ((RAMP * 65_535).astype(np.uint16), ".png", (0, 65535)),
        ((RAMP * 255).astype(np.uint16), ".png", (0, 255)),
        ((RAMP > 0.5).astype(np.uint16), ".png", (0, 1)),
        ((RAMP * 4095 - 1024).astype(np.int32), ".tif", (-1024, 3071)),
        ((RAMP * 1e6).astype(np.int32), ".tif", (0, 1_000_000)),
        (RAMP.astype(np.float32), ".tif", (0, 1)),
        ((RAMP * 2 - 1).astype(np.float32), ".tif", (-1, 1)),
        ((RAMP * 255).astype(np.float32), ".tif", (0, 255)),
        ((RAMP * 3000 + 7).astype(np.float32), ".tif", None),
        ((RAMP * 1e-4).astype(np.float32), ".tif", None),
        ((RAMP * 60 + 250).astype(np.float32), ".tif", None),
    ],
    ids=["12 bits in png", "12 bits in tif", "10 bits", "14 bits", "16 bits", "8 bits in 16", "a mask in 16 bits",
         "signed", "32 bits", "0 to 1", "-1 to 1", "0 to 255", "any floats", "tiny floats", "kelvin"],
)  # fmt: skip
def test_the_range_is_chosen_from_the_data(tmp_path, image, suffix, levels):
    """The brightest image becomes the whole ramp from black to white, whatever the type of its file, and it is said."""
    modality, pixels, notes = values_of(written(tmp_path / "set", image, suffix))
    if levels is None:
        low, high = modality.levels
        assert image.max() == pytest.approx(high)
        assert low <= image.min()
    else:
        assert modality.levels == levels
    low, high = modality.levels
    wanted = ((image.astype(float) - low) / (high - low) * 255).clip(0, 255).round()
    assert np.abs(pixels[0] - wanted).max() <= 1
    assert pixels.max() >= 200
    assert any("read as black" in note for note in notes)


def test_a_range_that_the_user_gives(tmp_path):
    """A window, as for bones in tomography."""
    folder = written(tmp_path / "set", (RAMP * 4095 - 1024).astype(np.int32), ".tif")
    modality, pixels, notes = values_of(folder, levels=(0.0, 1000.0))
    assert (modality.levels, pixels.min(), pixels.max()) == ((0, 1000), 0, 255)
    assert any("as given" in note for note in notes)
    for wrong in ((5.0,), (3.0, 3.0), (0.0, math.inf)):
        with pytest.raises(InputError, match=r"levels=.* is not a range; give the values of black and white"):
            Images(levels=wrong).fit(find(folder))


def test_a_few_values_in_eight_bits(tmp_path):
    """Masks of 0 and 1, and class indices, are not black images; ordinary dark ones with a bright pixel stay."""
    mask = written(tmp_path / "masks", (RAMP > 0.5).astype(np.uint8), ".png", n=1)
    Image.fromarray((RAMP > 0.2).astype(np.uint8)).save(mask / "1.png")
    modality, pixels, notes = values_of(mask)
    assert (modality.white, sorted(np.unique(pixels))) == (1, [0, 255])
    assert "1 is read as white" in notes[0]
    assert values_of(written(tmp_path / "classes", (RAMP * 9).astype(np.uint8), ".png"))[0].white == 9
    dark = written(tmp_path / "dark", (RAMP * 40).astype(np.uint8), ".png")
    assert values_of(dark)[0].white == 255
    assert values_of(dark)[2] == ()


def test_color_of_sixteen_bits(tmp_path):
    """Twelve bits of color, of which Pillow alone would keep four."""
    color = np.stack([RAMP, RAMP.T, 1 - RAMP], -1)
    content = png_of_sixteen_bits((color * 4095).astype(">u2"))
    assert np.asarray(Image.open(io.BytesIO(content))).max() == 15
    (tmp_path / "set").mkdir()
    for i in range(3):
        darker = (color * 4095 * (1 - i / 10)).astype(">u2")
        (tmp_path / "set" / f"{i}.png").write_bytes(png_of_sixteen_bits(darker))
    modality, pixels, _ = values_of(tmp_path / "set")
    assert modality.levels == (0, 4095)
    assert np.abs(pixels.transpose(1, 2, 0) - color * 255).max() <= 1
    with_alpha = np.dstack([(color * 4095), np.full((16, 16), 65_535)]).astype(">u2")
    image = loaded(png_of_sixteen_bits(with_alpha), Levels((0.0, 4095.0)))
    assert image.getchannel("A").getextrema() == (255, 255)
    assert np.abs(np.asarray(image)[..., :3] - color * 255).max() <= 1


def png_of_sixteen_bits(pixels):
    """A PNG of color of sixteen bits, which Pillow does not write. (h, w, 3 or 4), big-endian."""
    import struct
    import zlib

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    height, width, channels = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def test_missing_values_do_not_stretch_the_range(tmp_path):
    """Not a number, what a map declares, and the usual markers are black."""
    image = (RAMP * 300 + 200).astype(np.float32)
    for marker in (np.nan, -9999, -3.4e38, -500):
        holes = image.copy()
        holes[3:6, 3:6] = marker
        info = TiffImagePlugin.ImageFileDirectory_v2()
        if marker == -500:
            info[42113] = "-500"
        folder = tmp_path / f"set{marker}"
        folder.mkdir()
        for i in range(3):
            Image.fromarray(holes).rotate(90 * i).save(folder / f"{i}.tif", tiffinfo=info)
        modality, pixels, notes = values_of(folder)
        assert modality.levels[0] == pytest.approx(200, abs=1)
        assert modality.levels[1] == pytest.approx(500, abs=1)
        assert pixels[0, 4, 4] == 0
        assert any("missing values are read as black" in note for note in notes)


def test_signed_bytes_and_large_unsigned_integers(tmp_path):
    """Types that Pillow reads as others."""
    plain = written(tmp_path / "set", (RAMP * 255).astype(np.uint8), ".tif", n=1)
    content = (plain / "0.tif").read_bytes()
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[339] = 2  # signed
    Image.open(io.BytesIO(content)).save(tmp_path / "signed.tif", tiffinfo=info)
    signed = loaded((tmp_path / "signed.tif").read_bytes(), Levels((-128.0, 127.0)))
    assert np.array_equal(np.asarray(signed), np.asarray(Image.open(io.BytesIO(content))).view(np.int8) + 128.0)
    large = np.array([[0, 2**32 - 1]], np.uint32)
    Image.fromarray(large.view(np.int32)).save(tmp_path / "large.tif")
    signed_tag, unsigned_tag = (b"\x53\x01\x03\0\1\0\0\0" + bytes([kind, 0]) for kind in (2, 1))
    content = (tmp_path / "large.tif").read_bytes()
    assert signed_tag in content
    content = content.replace(signed_tag, unsigned_tag)
    assert np.asarray(loaded(content, Levels((0.0, 2.0**32)))).tolist() == [[0, 255]]


def test_models_of_earlier_versions_read_as_before():
    """Without levels: sixteen bits, and floats in [0, 1] or [0, 255]."""
    for image, wanted in (
        (np.array([[0, 257, 65_535]], np.uint16), [[0, 1, 255]]),
        (np.array([[0, 0.5, 1.0]], np.float32), [[0, 128, 255]]),
        (np.array([[0, 100.2, 255]], np.float32), [[0, 100, 255]]),
    ):
        file = io.BytesIO()
        Image.fromarray(image).save(file, "TIFF")
        assert np.asarray(loaded(file.getvalue())).tolist() == wanted


@given(
    st.lists(st.floats(-1e6, 1e6, width=32), min_size=4, max_size=64),
    st.booleans(),
)
def test_any_range_is_used(values, whole):
    """The chosen range is finite and increasing, and what is in it is neither black nor white by mistake."""
    array = np.array(values, np.int64 if whole else np.float32).reshape(1, -1)
    depth = depth_of(array)
    if depth is None:
        return
    low, high = choose([depth]).range
    assert math.isfinite(low)
    assert low < high
    result = eight_bits(array, (low, high))
    order = np.argsort(array[0], kind="stable")
    present = [i for i in order if array[0, i] not in (-9999, -32768, -99999)]
    assert (np.diff(result[0, present].astype(int)) >= 0).all()  # brighter stays brighter


def test_a_hot_pixel_of_floats():
    """One value that is far from all others does not make them black."""
    image = (RAMP * 10).astype(np.float32).repeat(16, 0).repeat(16, 1)
    image[0, 0] = 1e6
    low, high = choose([depth_of(image)]).range
    assert low == 0
    assert high == pytest.approx(10, rel=0.01)


def test_the_range_of_several_types():
    """Integers and floats of one set have one range; eight bits are not part of it."""
    depths = [Depth("16-bit", True, 0, 4000, 1, 3900), Depth("32-bit floats", False, 0, 5000, 1, 4900)]
    assert choose([*depths, Depth("8-bit", True, 0, 255, 0, 255)]) == Levels((0, 5000), 255)


def test_pairs_have_two_ranges(tmp_path):
    """Twelve bits of a microscope, and a mask of 0 and 1 in sixteen."""
    for name, image in (("image", RAMP * 4095), ("mask", RAMP > 0.5)):
        (tmp_path / name).mkdir()
        for i in range(4):
            Image.fromarray(np.rot90(image, i).astype(np.uint16)).save(tmp_path / name / f"{i}.png")
    items = find(tmp_path)
    modality = Paired().fit(items)
    assert (modality.given_levels, modality.levels) == ((0, 4095), (0, 1))
    encoded = modality.encode(items)
    assert encoded.values.amax((0, 2, 3)).tolist() == [255, 255]
    assert any(note.startswith("image/: 16-bit values") for note in encoded.notes)
    given_image, target = next(iter(modality.examples(items, trained_on=False)))
    assert (given_image.max(), target.max()) == (1, 1)


def test_restoration_reads_the_range_too(tmp_path):
    items = find(written(tmp_path / "set", (RAMP * 4095).astype(np.uint16), ".png", n=4))
    modality = Degraded(degrade=("x2",)).fit(items)
    assert modality.levels == modality.given_levels == (0, 4095)
    assert modality.encode(items).tensors[VALUES].max() == 255


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (RAMP * 16, "float64 in [0, 16]"),
        (RAMP * 4095, "float64 in [0, 4095]"),
        ((RAMP * 4000).astype(np.uint16), "uint16 in [0, 4095]"),
        ((RAMP * 4095 - 1000).astype(np.int16), "int16 in [-1000, 3095]"),
        ((RAMP * 16).astype(np.uint8), "uint8 in [0, 16]"),
        (RAMP > 0.5, "bool in [0, 1]"),
    ],
    ids=["digits", "floats", "12 bits", "signed", "bytes", "masks"],
)
def test_arrays(tmp_path, array, said):
    np.save(tmp_path / "set.npy", np.stack([array, array.T, array]))
    items = find(tmp_path / "set.npy")
    assert (items.items.min(), items.items.max()) in ((0, 255), (0, 249))
    assert said in items.notes[0]


def test_the_parts_of_an_array_have_one_range(tmp_path):
    """A darker test set stays darker."""
    train = np.stack([RAMP * 5000, RAMP.T * 5000])
    np.savez(tmp_path / "set.npz", x_train=train, x_test=train / 2)
    items = find(tmp_path / "set.npz")
    assert items.items[2:].max() == pytest.approx(128, abs=1)


def test_a_margin_below_zero_is_refused():
    """As in the file of a damaged model."""
    with pytest.raises(InputError, match="crop=-1 is out of range"):
        Images(crop=-1.0)


@pytest.mark.parametrize("value", [0, 7, -3.5, 1e17, -1e17, 3e38, 0.1])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_arrays_of_one_value_are_images_of_one_color(tmp_path, value, dtype):
    if dtype is np.int64 and abs(value) > 2**62:
        pytest.skip("too large for the type")
    np.save(tmp_path / "flat.npy", np.full((2, 8, 8), value, dtype))
    images = find(str(tmp_path / "flat.npy")).items
    assert images.min() == images.max()
