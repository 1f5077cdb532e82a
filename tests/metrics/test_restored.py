"""Metrics of restored images against torchmetrics, PIL, NumPy and their expected properties."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

from sparring.errors import InputError
from sparring.layers.degrade import pixels
from sparring.metrics.image_pairs import cropped, flicker, iou, luma, psnr, spectrum, spectrum_distance, ssim


def draw(n, channels, height, width, seed=0):
    """Images with detail at all scales, like photographs."""
    random = torch.Generator().manual_seed(seed)
    noise = torch.randn(n, channels, height, width, generator=random)
    vertical, horizontal = torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None]
    scale = 1 / torch.hypot(vertical, horizontal).clamp(min=1 / max(height, width))
    x = torch.fft.irfft2(torch.fft.rfft2(noise) * scale, (height, width))
    return (x / x.std() * 40 + 128).round().clamp(0, 255)


shapes = st.tuples(st.integers(1, 4), st.sampled_from([1, 3]), st.integers(11, 40), st.integers(11, 40))


@settings(max_examples=25, deadline=None)
@given(shape=shapes, noise=st.floats(0.5, 80), seed=st.integers(0, 99))
def test_psnr_and_ssim_are_torchmetrics(shape, noise, seed):
    torch.manual_seed(seed)
    true = draw(*shape, seed)
    generated = (true + noise * torch.randn(shape)).clamp(0, 255)
    ours = peak_signal_noise_ratio(generated, true, 255.0, dim=(1, 2, 3), reduction="none")
    assert psnr(generated, true).numpy() == pytest.approx(ours.numpy(), rel=1e-4)
    doubles = generated.double(), true.double()
    _, places = structural_similarity_index_measure(*doubles, data_range=255.0, return_full_image=True)
    theirs = places[..., 5:-5, 5:-5].mean((1, 2, 3))  # without the borders, where theirs mirrors the image
    assert ssim(generated, true).numpy() == pytest.approx(theirs.numpy(), abs=1e-5)


def test_equal_images_are_perfect():
    x = draw(2, 3, 16, 20)
    assert psnr(x, x).tolist() == [math.inf] * 2
    assert ssim(x, x).numpy() == pytest.approx(1)
    assert spectrum_distance(x, x) == 0
    flat = torch.full((1, 3, 16, 16), 255.0)
    assert ssim(flat, flat).item() == pytest.approx(1)


def test_each_image_has_its_own_value():
    true = draw(3, 3, 16, 16)
    generated = true.clone()
    generated[1] = (generated[1] + 20).clamp(0, 255)
    assert (psnr(generated, true) == math.inf).tolist() == [True, False, True]
    assert (ssim(generated, true) < 0.999).tolist() == [False, True, False]


def test_ssim_needs_a_whole_window():
    with pytest.raises(InputError, match="20 x 10 pixels; use images of at least 11 x 11"):
        ssim(torch.zeros(1, 1, 10, 20), torch.zeros(1, 1, 10, 20))


def test_luma_is_that_of_bt601():
    """PIL's has the full range and is rounded, but is the same otherwise."""
    x = draw(2, 3, 16, 20)
    for image, light in zip(x, luma(x), strict=True):
        full = Image.fromarray(image.permute(1, 2, 0).byte().numpy()).convert("L")
        assert np.abs(light[0].numpy() - (16 + np.asarray(full) * (219 / 255))).max() < 0.5
    ends = luma(torch.tensor([0.0, 255.0]).view(2, 1, 1, 1))
    assert ends.flatten().tolist() == pytest.approx([16, 235])
    assert torch.allclose(luma(x[:, :1]), luma(x[:, :1].expand(-1, 3, -1, -1)))


def test_cropping():
    x = torch.arange(48.0).view(1, 1, 6, 8)
    assert torch.equal(cropped(x, 0), x)
    assert torch.equal(cropped(x, 2), x[..., 2:4, 2:6])


@settings(max_examples=60, deadline=None)
@given(height=st.integers(2, 150), width=st.integers(2, 150))
def test_every_radius_has_its_power(height, width):
    spectra = spectrum(torch.rand(2, 3, height, width) * 255)
    assert torch.isfinite(spectra).all()
    assert abs(spectra.shape[1] - min(height, width) / 2**0.5) <= 2


def test_spectrum_of_white_noise_is_its_variance():
    torch.manual_seed(0)
    spectra = spectrum(100 + 20 * torch.randn(8, 3, 60, 90)).mean(0)
    assert spectra[2:].numpy() == pytest.approx(math.log10(400), abs=0.1)


@pytest.mark.parametrize("size", [(64, 64), (48, 80), (80, 48)])
def test_spectrum_of_a_wave_is_at_its_radius(size):
    rows, columns = torch.arange(size[0])[:, None], torch.arange(size[1])[None]
    for vertical, horizontal in ((0, 0.25), (0.25, 0), (0.15, 0.2), (0.5, 0.5)):
        wave = 128 + 60 * torch.cos(2 * math.pi * (vertical * rows + horizontal * columns))
        radius = int(spectrum(wave[None, None])[0].argmax()) + 1
        assert abs(radius - math.hypot(vertical, horizontal) * min(size)) <= 1


def test_spectrum_ignores_the_borders():
    """A slope jumps at the borders, where the transform wraps around, but has no detail."""
    slope = torch.linspace(0, 255, 64).expand(1, 1, 64, 64)
    assert spectrum(slope)[0, 8:].max() < 0
    assert spectrum(torch.full((1, 1, 64, 64), 9.0)).max() < 0


@pytest.mark.parametrize("size", [(64, 64), (48, 80)])
def test_spectral_distance_grows_with_lost_and_added_detail(size):
    torch.manual_seed(0)
    true = draw(4, 3, *size)
    blurs = [spectrum_distance(pixels.blur(true, d, d), true) for d in (0.5, 1, 2)]
    noises = [spectrum_distance(true + d * torch.randn_like(true), true) for d in (5, 15, 45)]
    for distances in (blurs, noises):
        assert 0.02 < distances[0] < distances[1] < distances[2]
    assert spectrum_distance(10**0.5 * (true - 128), true) == pytest.approx(1, abs=0.01)  # a decade of power
    assert spectrum_distance(true.flip(-1), true) == pytest.approx(0, abs=1e-3)


@settings(max_examples=30, deadline=None)
@given(a=st.lists(st.booleans(), min_size=12, max_size=12), b=st.lists(st.booleans(), min_size=12, max_size=12))
def test_iou_is_that_of_sets(a, b):
    masks = [torch.tensor([x, [False] * 12]).view(2, 1, 3, 4) for x in (a, b)]
    one, other = ({i for i, inside in enumerate(x) if inside} for x in (a, b))
    expected = len(one & other) / len(one | other) if one | other else 1.0
    assert iou(*masks).tolist() == pytest.approx([expected, 1.0])


def test_flicker_is_measured_in_still_regions_only():
    frames = torch.full((4, 3, 4, 4), 100.0)
    frames[::2, :, :, :2] += 6
    frames[..., 2:] += torch.arange(4).view(4, 1, 1, 1) * 50  # moves
    still = torch.zeros(3, 1, 4, 4, dtype=torch.bool)
    still[..., :2] = True
    assert flicker(frames, still) == pytest.approx(6)
    assert math.isnan(flicker(frames, torch.zeros_like(still)))
