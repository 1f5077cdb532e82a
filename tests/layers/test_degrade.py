"""Degradations against PIL, SciPy and arithmetic."""

import io

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage

from sparring.errors import InputError
from sparring.layers.degrade import parse, pixels
from sparring.layers.degrade.chain import KINDS

KEEP = ["x2", "x3", "noise25", "noise0-50", "jpeg10-60", "blur1.6", "blur0.2-2", "dose0.02-0.2", "grey", "edges"]
CUT = ["boxes", "strokes", "freeform0.2-0.5"]
RANDOM = ["noise25", "jpeg10-60", "blur0.2-2", "dose0.1", "boxes", "strokes", "freeform", "boxes0.3"]


@pytest.fixture
def x():
    """Smooth images of all brightnesses, with edges."""
    torch.manual_seed(0)
    coarse = torch.rand(4, 3, 6, 8) * 2 - 1
    return pixels.quantize(torch.nn.functional.interpolate(coarse, (36, 48), mode="bilinear"))


def seeded(words, x, seed=1):
    torch.manual_seed(seed)
    return parse(words)(x)


@settings(max_examples=60, deadline=None)
@given(
    words=st.lists(st.sampled_from(KEEP), max_size=3),
    cut=st.lists(st.sampled_from(CUT), max_size=1),
    size=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    n=st.integers(1, 3),
    channels=st.sampled_from([1, 3]),
    seed=st.integers(0, 99),
)
def test_any_chain(words, cut, size, n, channels, seed):
    chain = parse(words + cut)
    height, width = (side * chain.times for side in size)
    clean = torch.rand(n, channels, height, width, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    output, again = (seeded(words + cut, clean, seed) for _ in range(2))
    assert output.shape == (n, chain.channels(channels), *size)
    assert output.dtype == torch.float32
    assert torch.equal(output, again)
    assert chain.masks == bool(cut)
    image = output[:, : chain.channels(channels) - chain.masks]
    if cut:
        mask = output[:, -1:]
        assert set(mask.unique().tolist()) <= {-1.0, 1.0}
        assert (image.masked_select(mask > 0) == 0).all()
        image = image.masked_select(mask < 0)
    levels = (image + 1) * 127.5
    assert ((levels - levels.round()).abs() < 1e-3).all()
    assert (levels.round() >= 0).all()
    assert (levels.round() <= 255).all()


@pytest.mark.parametrize("word", RANDOM)
def test_every_image_has_its_own_random_draw(word, x):
    output = seeded([word], x[:1].repeat(8, 1, 1, 1))
    assert len({tuple(one.flatten().tolist()) for one in output}) > 4  # two of a few qualities may be equal
    assert not torch.equal(output, seeded([word], x[:1].repeat(8, 1, 1, 1), seed=2))


def test_autocast_does_not_change_degradations(x):
    with torch.autocast("cpu", torch.bfloat16):
        output = seeded(["blur1", "x2", "grey"], x)
    assert output.dtype == torch.float32
    assert torch.equal(output, seeded(["blur1", "x2", "grey"], x))


@pytest.mark.parametrize("times", [2, 3, 4])
def test_downscaling_is_bicubic_as_in_pil(times, x):
    output = parse([f"x{times}"])(x)
    for one, small in zip(x.flatten(0, 1), output.flatten(0, 1), strict=True):
        size = (48 // times, 36 // times)
        theirs = np.asarray(Image.fromarray(one.numpy()).resize(size, Image.Resampling.BICUBIC))
        assert np.abs(small.numpy() - theirs.clip(-1, 1)).max() < 0.51 * pixels.LEVEL + 1e-5  # rounding


def test_blur_is_scipys(x):
    for deviation in (0.4, 1.6, 3.0):
        theirs = ndimage.gaussian_filter(x.numpy(), (0, 0, deviation, deviation), mode="mirror", truncate=6)
        assert np.abs(pixels.blur(x, deviation, deviation).numpy() - theirs).max() < 1e-3
    wide = pixels.blur(x[..., :2, :3], 2.0, 2.0)  # narrower than the kernel
    theirs = ndimage.gaussian_filter(x[..., :2, :3].numpy(), (0, 0, 2, 2), mode="mirror", truncate=6)
    assert np.abs(wide.numpy() - theirs).max() < 1e-3
    assert torch.allclose(pixels.blur(x, 0.0, 0.0), x, atol=1e-6)


def test_every_image_is_blurred_by_its_own_deviation_in_the_range():
    point = torch.zeros(64, 1, 41, 41)
    point[:, :, 20, 20] = 1
    torch.manual_seed(0)
    output = pixels.blur(point, 0.5, 2.0)[:, 0]
    offsets = torch.arange(41) - 20.0
    deviations = (output.sum(1) * offsets**2).sum(1).sqrt()
    assert 0.4 < deviations.min() < 0.7
    assert 1.8 < deviations.max() < 2.1


def test_noise_has_its_deviation_in_levels():
    output = seeded(["noise25"], torch.zeros(2, 3, 128, 128))
    assert (output * 127.5).std().item() == pytest.approx(25, rel=0.02)
    each = seeded(["noise10-50"], torch.zeros(64, 1, 64, 64)).flatten(1).std(1) * 127.5
    assert 9 < each.min() < 14
    assert 46 < each.max() < 52


def test_photons_are_counted():
    """The variance of the number of photons is equal to its mean, and brightness is kept."""
    torch.manual_seed(0)
    for brightness in (0.1, 0.5, 0.9):
        expected = brightness * 0.1 * pixels.FULL_DOSE
        output = pixels.reduce_dose(torch.full((1, 1, 256, 256), brightness * 2 - 1), 0.1, 0.1)
        counts = (output + 1) / 2 * 0.1 * pixels.FULL_DOSE
        assert counts.mean().item() == pytest.approx(expected, rel=0.02)
        assert counts.var().item() == pytest.approx(expected, rel=0.05)
    assert (pixels.reduce_dose(torch.full((1, 1, 9, 9), -1.0), 0.1, 0.1) == -1).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_is_what_pil_reads_back(channels, x):
    output = parse(["jpeg20"])(x[:, :channels])
    for one, degraded in zip(x[:, :channels], output, strict=True):
        levels = ((one + 1) * 127.5).round().byte().permute(1, 2, 0).squeeze(-1).numpy()
        file = io.BytesIO()
        Image.fromarray(levels).save(file, "JPEG", quality=20)
        theirs = np.asarray(Image.open(file)).reshape(36, 48, channels).transpose(2, 0, 1)
        assert np.array_equal(((degraded + 1) * 127.5).round().numpy(), theirs)


def test_jpeg_is_worse_at_lower_quality(x):
    errors = [(parse([f"jpeg{quality}"])(x) - x).square().mean() for quality in (5, 30, 95)]
    assert errors[0] > errors[1] > errors[2]


def test_grayscale_is_pils(x):
    output = ((parse(["grey"])(x) + 1) * 127.5).round()
    for one, grey in zip(x, output, strict=True):
        levels = ((one + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
        assert np.abs(grey[0].numpy() - np.asarray(Image.fromarray(levels).convert("L"), np.float32)).max() <= 1


def test_edges_are_scipys(x):
    light = pixels.grayscale(x)[:, 0].numpy()
    gradients = [[ndimage.sobel(one, axis, mode="nearest") for axis in (0, 1)] for one in light]
    strengths = np.array([np.hypot(*both) for both in gradients])
    clear = np.abs(strengths - 0.25 * strengths.max((1, 2), keepdims=True)) > 1e-4
    edges = parse(["edges"])(x)[:, 0].numpy() > 0
    assert np.array_equal(edges[clear], (strengths > 0.25 * strengths.max((1, 2), keepdims=True))[clear])
    assert 0.02 < edges.mean() < 0.9


@pytest.mark.parametrize("step", [0.0, pixels.LEVEL])
def test_flat_images_have_no_edges(step):
    flat = torch.full((1, 3, 8, 8), 0.3)
    flat[..., 4:] += step
    assert (parse(["edges"])(flat) == -1).all()


@pytest.mark.parametrize("word", ["boxes", "strokes", "freeform"])
@pytest.mark.parametrize("size", [(64, 64), (48, 96)])
def test_holes_hide_a_share_of_the_range(word, size):
    torch.manual_seed(0)
    output = parse([f"{word}0.1-0.5"])(torch.ones(64, 1, *size))
    shares = (output[:, -1] > 0).float().mean((1, 2))
    assert shares.min() >= 0.1
    assert shares.max() < 0.53  # sides of a rectangle are whole rows
    assert shares.min() < 0.15
    assert shares.max() > 0.45
    assert torch.equal(output[:, :1] == 0, output[:, 1:] > 0)


def test_holes_occur_everywhere_and_have_few_pieces():
    torch.manual_seed(0)
    for word in ("boxes", "strokes", "freeform"):
        holes = parse([word])(torch.ones(128, 1, 32, 48))[:, -1] > 0
        often = torch.nn.functional.avg_pool2d(holes.float().mean(0)[None], 8)
        assert often.min() > 0.08
        assert often.max() < 0.5
        assert np.mean([ndimage.label(hole, np.ones((3, 3)))[1] for hole in holes.numpy()]) < 8


def test_boxes_are_rectangles_and_strokes_are_not():
    torch.manual_seed(0)
    filled = {}
    for word in ("boxes", "strokes"):
        holes = parse([f"{word}0.1"])(torch.ones(64, 1, 64, 64))[:, -1].numpy() > 0
        pieces = [(labels, ndimage.find_objects(labels)) for labels, _ in map(ndimage.label, holes)]
        filled[word] = np.mean([(labels[box] > 0).mean() for labels, boxes in pieces for box in boxes])
    assert filled["boxes"] > 0.9  # some overlap
    assert filled["strokes"] < 0.7


def test_degradations_are_applied_in_order(x):
    separate = seeded(["noise25"], parse(["x2"])(x))  # rounded once more than in a chain
    assert (seeded(["x2", "noise25"], x) - separate).abs().max() < 1.01 * pixels.LEVEL
    fine, coarse = (
        (seeded(words, torch.zeros(1, 1, 96, 96))).std() for words in (["noise25", "x4"], ["x4", "noise25"])
    )
    assert fine < coarse / 2  # reduced by averaging


def test_properties():
    chain = parse(["x2", "grey", "x2", "boxes0.1-0.4"])
    assert (chain.times, chain.masks, chain.channels(3), chain.channels(1)) == (4, True, 2, 2)
    assert chain == parse(["x2", "grey", "x2", "boxes"])
    assert parse(["x3", "noise5"]).channels(3) == 3
    assert parse(["freeform"]).channels(3) == 4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nosie25"], "'nosie25' is not a degradation; did you mean 'noise'?"),
        (["jpg10-60"], "'jpg10-60' is not a degradation; did you mean 'jpeg'?"),
        (["x5"], "'x5' is not a degradation; choose from blur, boxes"),
        (["gray"], "did you mean 'grey'?"),
        (["noise"], "'noise' lacks its number; noise takes a number or a range within 0-255"),
        (["noise50-10"], "'noise50-10' is out of bounds; .* the smaller number first"),
        (["jpeg0"], "'jpeg0' is out of bounds; jpeg takes a number or a range within 1-100"),
        (["dose0"], "within 0.001-1"),
        (["boxes1"], "within 0.01-0.9"),
        (["grey2"], "'grey2' has a number, but grey takes none; write grey"),
        (["x2-4"], "'x2-4' is not a degradation; did you mean 'x"),
        (["noise-5"], "'noise-5' is not a degradation"),
        ([""], "'' is not a degradation; choose from"),
        (["boxes", "noise25"], "'noise25' follows 'boxes', but holes are cut last; put 'boxes' at the end"),
        (["boxes", "strokes"], "'strokes' follows 'boxes'"),
    ],
)
def test_invalid_chains_are_refused_in_one_line(words, message):
    with pytest.raises(InputError, match=message) as refusal:
        parse(words)
    assert "\n" not in str(refusal.value)


def test_unsuitable_images_are_refused():
    with pytest.raises(InputError, match=r"8 x 6 pixels cannot be made 4 times smaller; .* multiples of 4"):
        parse(["x4"])(torch.zeros(1, 3, 6, 8))
    with pytest.raises(InputError, match="4 channels"):
        parse(["x4"]).channels(4)


def test_parse_documents_every_word():
    for name in KINDS:
        assert name in parse.__doc__
