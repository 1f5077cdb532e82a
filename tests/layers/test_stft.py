"""Short-time Fourier transforms against SciPy and torch, their exact lengths, and mel filters by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import signal

from sparring.layers.stft import FLOOR, LOG_FLOOR, STFT, hz_to_mel, log_mel, mel_filters, mel_to_hz

FRAMES = [STFT(256, 64), STFT(400, 100), STFT(64, 32), STFT(1024, 256)]


@pytest.mark.parametrize("stft", FRAMES)
def test_spectrum_is_that_of_torch_and_of_scipy(stft: STFT) -> None:
    x = torch.randn(2, 3, 12 * stft.hop)
    padded = torch.nn.functional.pad(x, (stft.margin, stft.margin))
    spectrum = stft.spectrum(x)
    assert spectrum.shape == (2, 3, stft.bins, 12)
    flat = padded.flatten(0, 1)
    expected = torch.stft(
        flat, stft.size, stft.hop, window=torch.hann_window(stft.size), center=False, return_complex=True
    )
    assert torch.allclose(spectrum.flatten(0, 1), expected, atol=1e-4)
    window = signal.windows.hann(stft.size, sym=False)
    frame = np.fft.rfft(padded[1, 2, 3 * stft.hop :][: stft.size].numpy() * window)
    assert np.allclose(spectrum[1, 2, :, 3].numpy(), frame, atol=1e-4)


@pytest.mark.parametrize("stft", FRAMES)
@pytest.mark.parametrize("samples", [1, 63, 640, 1001, 4096])
def test_inverse_returns_every_sample(stft: STFT, samples: int) -> None:
    x = torch.randn(2, samples)
    spectrum = stft.spectrum(x)
    assert spectrum.shape[-1] == stft.frames(samples)
    back = stft.inverse(spectrum, samples)
    assert back.shape == x.shape
    assert torch.allclose(back, x, atol=2e-5)  # the first samples too, whose windows overlap the least
    assert stft.inverse(spectrum).shape[-1] == stft.frames(samples) * stft.hop


def test_inverse_of_an_inconsistent_spectrum_is_the_nearest_signal() -> None:
    """The inverse minimizes the squared error of the spectrum (Griffin and Lim 1984), here by least squares."""
    stft = STFT(16, 8)
    target = torch.fft.rfft(torch.randn(4, 16, dtype=torch.float64)).mT  # frames that do not agree where they overlap
    window = torch.hann_window(16, dtype=torch.float64)
    frames = torch.fft.irfft(target.mT, n=16).numpy()
    rows = np.zeros((4, 16, 32 + 2 * stft.margin))
    for frame in range(4):
        rows[frame, np.arange(16), frame * 8 + np.arange(16)] = window.numpy()
    inner = rows.reshape(64, -1)[:, stft.margin : -stft.margin]
    expected = np.linalg.lstsq(inner, frames.reshape(64), rcond=None)[0]
    assert np.allclose(stft.inverse(target.to(torch.complex64)).numpy(), expected, atol=1e-5)


def test_gradients_pass_both_ways() -> None:
    stft = STFT(32, 8)
    x = torch.randn(2, 80, requires_grad=True)
    (gradient,) = torch.autograd.grad(stft.magnitude(x).square().sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(gradient.square().sum(), x)  # penalties differentiate twice
    assert second.isfinite().all()
    assert second.abs().max() > 0
    silence = torch.zeros(1, 80, requires_grad=True)
    log_mel(silence, stft, mel_filters(8000, 32, 4)).sum().backward()
    assert silence.grad is not None
    assert silence.grad.isfinite().all()


def test_frames_that_do_not_fit_their_hop_are_refused() -> None:
    for size, hop in ((256, 60), (256, 256), (255, 51), (256, 0)):
        with pytest.raises(ValueError, match=f"{size} samples cannot start every {hop}"):
            STFT(size, hop)


def test_mel_scale_is_slaneys() -> None:
    """1,000 Hz is 15 mels, 6,400 Hz is 27 mels above that."""
    hz = torch.tensor([0.0, 200.0, 1000.0, 6400.0], dtype=torch.float64)
    assert torch.allclose(hz_to_mel(hz), torch.tensor([0.0, 3.0, 15.0, 42.0], dtype=torch.float64))
    assert torch.allclose(mel_to_hz(hz_to_mel(hz)), hz)


@pytest.mark.parametrize(
    ("rate", "size", "mels"), [(8000, 256, 20), (8000, 256, 80), (22050, 1024, 80), (44100, 64, 40)]
)
def test_mel_filters_cover_the_band_and_none_is_empty(rate: int, size: int, mels: int) -> None:
    filters = mel_filters(rate, size, mels)
    assert filters.shape == (mels, size // 2 + 1)
    assert torch.allclose(filters.sum(1), torch.ones(mels))
    assert (filters >= 0).all()
    assert (filters[:, 1:-1].sum(0) > 0).all()  # no frequency but the outermost is left out
    centers = filters @ torch.arange(size // 2 + 1).float()
    assert (centers.diff() > 0).all()


def test_mel_filters_of_a_narrower_range_ignore_the_rest() -> None:
    filters = mel_filters(16000, 512, 20, 500, 4000)
    hz = torch.arange(257) * 16000 / 512
    assert filters[:, (hz < 480) | (hz > 4020)].abs().max() == 0


def test_log_mel_of_a_sine_and_of_silence() -> None:
    stft, filters = STFT(256, 64), mel_filters(8000, 256, 20)
    sine = torch.sin(2 * math.pi * 1000 * torch.arange(2048) / 8000)
    mel = log_mel(sine, stft, filters)
    assert mel.shape == (20, 32)
    loudest = mel[:, 16].argmax()
    assert filters[loudest].argmax() in (31, 32, 33)  # 1,000 Hz is bin 32
    assert torch.allclose(stft.magnitude(sine)[32, 16], torch.tensor(0.5), atol=1e-3)  # half its amplitude
    assert (log_mel(torch.zeros(640), stft, filters) == LOG_FLOOR).all()
    assert math.exp(LOG_FLOOR) == pytest.approx(FLOOR)


def test_exported_transforms_keep_any_length() -> None:
    """A net of the transform and its inverse runs in ONNX Runtime for lengths that it was not exported with."""
    onnxruntime = pytest.importorskip("onnxruntime")

    class Filtered(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            spectrum = STFT(32, 8).spectrum(x)
            return STFT(32, 8).inverse(spectrum * torch.tanh(spectrum.abs()))

    count, batch = torch.export.Dim("count", min=3), torch.export.Dim("n")
    program = torch.onnx.export(
        Filtered().eval(), (torch.randn(2, 80),), dynamo=True, dynamic_shapes=({0: batch, 1: 8 * count},), verbose=False
    )
    assert program is not None
    session = onnxruntime.InferenceSession(program.model_proto.SerializeToString())
    for n, samples in ((1, 240), (3, 1000)):
        x = torch.randn(n, samples)
        (y,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
        assert np.allclose(y, Filtered()(x).numpy(), atol=1e-5)
