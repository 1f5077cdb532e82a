"""Nets on complex spectra of sounds: a generator that ends in an inverse Fourier transform, as in iSTFTNet (Kaneko et
al. 2022, arXiv:2203.02395) and Vocos (Siuzdak 2023, arXiv:2306.00814), and a discriminator of spectra.
"""

from __future__ import annotations

from math import ceil, log2

import torch
from torch import Tensor, nn

from sparring.layers.condition import Appended, Condition, Projected
from sparring.layers.initial import init_he
from sparring.layers.layout import channels_last
from sparring.layers.stft import STFT
from sparring.nets.discriminator import Discriminator as Base

SCALE = 4.0  # of compressed spectra, so that loud sounds have a standard deviation of about 0.5
EPSILON = 1e-6  # squared magnitude below which the compression is linear, -60 dB
# Frequencies and frames after D's first layer, and before G's last. The first layer halves shorter spectra.
BANDS, FRAMES = 32, 32
LOWEST = 4  # frequencies and frames at the lowest resolution, about


class Spectra(nn.Module):
    """Sounds (n, channels, length) as compressed complex spectra, and back.

    The cube root of the magnitude is taken, as loudness is heard, and the phase is relative to that of a sine at the
    center of each bin, so that stationary sounds have smooth phases. The highest bin is left out.

    Args:
        channels, length: of the sounds.
        size: samples of a frame; half of it overlaps.
    """

    sign: Tensor

    def __init__(self, channels: int, length: int, size: int) -> None:
        super().__init__()
        self.channels, self.length, self.stft = channels, length, STFT(size, size // 2)
        self.bins, self.frames = size // 2, self.stft.frames(length)
        places = torch.arange(self.bins)[:, None] * torch.arange(1, self.frames + 1)
        # A bin's phase advances by its number times pi from frame to frame.
        self.register_buffer("sign", 1.0 - 2.0 * (places % 2), persistent=False)

    def of(self, waves: Tensor, angle: Tensor | None = None) -> Tensor:
        """Real parts, imaginary parts and magnitudes: (n, 3 * channels, bins, frames).

        Args:
            angle: added to all phases of each sound, (n, 1, 1, 1); none unless given.
        """
        spectrum = self.stft.spectrum(waves * (2 / self.stft.size))[..., : self.bins, :]
        real, imaginary = spectrum.real, spectrum.imag
        root = (real.square() + imaginary.square() + EPSILON) ** (1 / 6)  # one power, since it takes time
        factor = self.sign * SCALE / root.square()
        real, imaginary = real * factor, imaginary * factor
        if angle is not None:
            cosine, sine = angle.cos(), angle.sin()
            real, imaginary = real * cosine - imaginary * sine, real * sine + imaginary * cosine
        return torch.cat([real, imaginary, SCALE * (root - EPSILON ** (1 / 6))], 1)

    def waves(self, compressed: Tensor) -> Tensor:
        """Real and imaginary parts (n, 2 * channels, bins, frames) -> sounds (n, channels, length)."""
        real, imaginary = (compressed.float() / SCALE).chunk(2, 1)
        factor = (real.square() + imaginary.square()) * self.sign * (self.stft.size / 2)
        nyquist = torch.zeros_like(real[..., :1, :])
        real, imaginary = (torch.cat([part * factor, nyquist], -2) for part in (real, imaginary))
        return self.stft.inverse(torch.complex(real, imaginary), self.length)


class TurnedSpectra(nn.Module):
    """Sounds (n, channels, length) -> compressed spectra as from `Spectra.of`, each with a random phase added to all of
    its values, which is not heard.
    """

    def __init__(self, spectra: Spectra) -> None:
        super().__init__()
        self.spectra = spectra

    def forward(self, waves: Tensor) -> Tensor:
        return self.spectra.of(waves, torch.rand(len(waves), 1, 1, 1, device=waves.device) * (2 * torch.pi))


def _strides(bins: int, frames: int) -> list[tuple[int, int]]:
    """Factors by which each of D's layers makes frequencies and frames fewer."""
    strides = [(max(2, bins // BANDS), max(2, 2 ** int(log2(max(1, frames / FRAMES)))))]
    bins, frames = bins // strides[0][0], ceil(frames / strides[0][1])
    for _ in range(max(1, int(log2(bins / LOWEST)))):
        step = 2 if frames > LOWEST else 1
        strides.append((2, step))
        bins, frames = bins // 2, ceil(frames / step)
    return strides


def _kernel(stride: int) -> tuple[int, int]:
    """Kernel size and padding of a layer whose output has 1 / stride as many places."""
    return (3, 1) if stride == 1 else (2 * stride, stride // 2)


class Upsampled(nn.ConvTranspose2d):
    """Spectra (n, before, bins, frames) -> (n, after, up * bins, count): a transposed convolution without the frames
    beyond a number, which would cost time in each later layer.

    Args:
        before, after: channels.
        up, along: factors of frequencies and of frames.
        count: frames of the output.
    """

    def __init__(self, before: int, after: int, up: int, along: int, count: int, bias: bool) -> None:
        (high, above), (wide, beside) = _kernel(up), _kernel(along)
        super().__init__(before, after, (high, wide), (up, along), (above, beside), bias=bias)
        self.count = count

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        h = super().forward(x, output_size)
        return h if h.shape[-1] == self.count else channels_last(h[..., : self.count])


class Generator(nn.Module):
    """Latents (n, latents)[, labels (n,)] -> sounds (n, channels, length).

    Args:
        latents: length of the latent vector.
        spectra: the spectra that are generated.
        width: channels of the last hidden layer; each earlier layer has twice as many, at most `most`.
        most: channels of a layer at most.
        condition: number of classes; 0 for none; its embedding is appended to z.
    """

    def __init__(self, latents: int, spectra: Spectra, width: int, most: int, condition: Condition = 0) -> None:
        super().__init__()
        self.spectra, self.condition = spectra, Appended(condition)
        strides = _strides(spectra.bins, spectra.frames)[::-1]
        bins, frames = spectra.bins, spectra.frames
        counts = []  # of frames after each layer, the last one first
        for up, along in strides[::-1]:
            counts.append(frames)
            bins, frames = ceil(bins / up), ceil(frames / along)
        widths = [min(most, width * 2**i) for i in range(len(strides))][::-1]
        self.base = (widths[0], bins, frames)
        self.linear = nn.Linear(latents + self.condition.width, widths[0] * bins * frames, bias=False)
        layers: list[nn.Module] = [nn.BatchNorm2d(widths[0]), nn.ReLU(inplace=True)]
        for i, (up, along) in enumerate(strides):
            last = i == len(strides) - 1
            after = 2 * spectra.channels if last else widths[i + 1]
            layers.append(Upsampled(widths[i], after, up, along, counts[-1 - i], bias=last))
            layers += [] if last else [nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers)
        for module in self.modules():
            if isinstance(module, nn.ConvTranspose2d | nn.Linear):
                nn.init.normal_(module.weight, std=0.02)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        h = channels_last(self.linear(self.condition(z, label)).view(-1, *self.base))
        return self.spectra.waves(self.layers(h))


class Discriminator(Base):
    """Spectra (n, 3 * channels, bins, frames) as `Spectra.of` returns them[, labels (n,)] -> logits (n,).

    Args:
        spectra: the spectra that are judged.
        width, most: channels of the layers, as for `Generator`.
        condition: number of classes; 0 for none; the logit is projected on its embedding.
    """

    def __init__(self, spectra: Spectra, width: int, most: int, condition: Condition = 0) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before, bins, frames = 3 * spectra.channels, spectra.bins, spectra.frames
        for i, (up, along) in enumerate(_strides(bins, frames)):
            # Kernels as large as G's would almost double the time of all layers but the first.
            (high, above), (wide, beside) = ((3, 1), (3, 1)) if i else (_kernel(up), _kernel(along))
            after = min(most, width * 2**i)
            layers += [nn.Conv2d(before, after, (high, wide), (up, along), (above, beside)), nn.LeakyReLU(0.2)]
            bins = (bins + 2 * above - high) // up + 1
            frames = (frames + 2 * beside - wide) // along + 1
            before = after
        self.layers = nn.Sequential(*layers, nn.Flatten())
        self.layers.apply(init_he)
        self.length = before * bins * frames
        self.head = Projected(self.length, condition)

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        h: Tensor = self.layers(channels_last(x))
        return h

    def judge(self, h: Tensor, label: Tensor | None = None) -> Tensor:
        logits: Tensor = self.head(h, label)
        return logits
