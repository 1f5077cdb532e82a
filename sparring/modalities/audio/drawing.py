"""Sounds as pictures: the waveform above the log-mel spectrogram, with axes in seconds and Hz."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, log10

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from sparring.layers.stft import hz_to_mel
from sparring.modalities.audio.spectra import as_share, levels
from sparring.modalities.samples import Samples, columns_for

Floats = NDArray[np.float32]

WIDTH, WAVE, SPECTRUM = 152, 36, 72  # pixels of one sound: its width, and the heights of its two parts
GAP, LEFT, BOTTOM, HEAD = 6, 46, 30, 14  # pixels between sounds, of the axes, and of the names of classes
MELS = 72
CHUNK = 64  # sounds that are transformed together
INK, PAPER, GRAY = (31, 79, 191), (255, 255, 255), (90, 96, 108)
TICKS = (100, 500, 1000, 2000, 4000, 8000, 16000)  # Hz
MAX_NAME = 22  # characters of a class's name


def pictures(sounds: Floats, rate: int) -> list[Image.Image]:
    """Each sound (n, length, channels) without axes. The waveforms fill their height where the loudest one does."""
    full = float(np.abs(sounds).max(initial=1e-6))
    parts = (sounds[start : start + CHUNK] for start in range(0, len(sounds), CHUNK))
    return [image for part in parts for image in _pictures(part, rate, full)]


def _pictures(sounds: Floats, rate: int, full: float) -> list[Image.Image]:
    from matplotlib import colormaps

    waves = torch.from_numpy(np.ascontiguousarray(sounds.transpose(0, 2, 1)))
    shares = as_share(levels(waves, rate, MELS)).numpy()
    colors = (colormaps["magma"](shares[:, ::-1])[..., :3] * 255).astype(np.uint8)  # high frequencies on top
    return [_picture(sound / full, spectrum) for sound, spectrum in zip(sounds, colors, strict=True)]


def _picture(sound: Floats, spectrum: NDArray[np.uint8]) -> Image.Image:
    image = Image.new("RGB", (WIDTH, WAVE + SPECTRUM), PAPER)
    draw = ImageDraw.Draw(image)
    edges = np.linspace(0, len(sound), WIDTH + 1).astype(int)
    for x in range(WIDTH):
        part = sound[edges[x] : max(edges[x] + 1, edges[x + 1])]
        high, low = (WAVE / 2 * (1 - float(np.clip(v, -1, 1))) for v in (part.max(), part.min()))
        draw.line((x, round(high), x, round(low)), fill=INK)
    image.paste(Image.fromarray(spectrum).resize((WIDTH, SPECTRUM), Image.Resampling.BILINEAR), (0, WAVE))
    return image


def sheet(samples: Samples, rate: int) -> Image.Image:
    """All sounds in a grid, with the axes of all of them on the left and below."""
    images, columns = pictures(samples.items, rate), columns_for(samples)
    names: Sequence[str] = ()
    if samples.labels is not None:
        names = [samples.modality.classes[int(label)] for label in samples.labels]
    return grid(images, columns, rate, samples.items.shape[1] / rate, names)


def grid(
    images: Sequence[Image.Image], columns: int, rate: int, seconds: float, names: Sequence[str] = ()
) -> Image.Image:
    """Pictures of sounds in rows, with axes.

    Args:
        seconds: length of each.
        names: written above each; () for none.
    """
    head, height = HEAD if names else 0, WAVE + SPECTRUM
    rows = -(-len(images) // columns)
    size = (LEFT + columns * (WIDTH + GAP), rows * (height + head + GAP) + BOTTOM)
    page = Image.new("RGB", size, PAPER)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(size=10)
    for i, image in enumerate(images):
        left, top = LEFT + i % columns * (WIDTH + GAP), i // columns * (height + head + GAP) + head
        page.paste(image, (left, top))
        if names:
            draw.text((left + WIDTH / 2, top - head + 1), names[i][:MAX_NAME], "black", font=font, anchor="ma")
    for row in range(rows):
        _hertz(draw, font, row * (height + head + GAP) + head + WAVE, rate)
    for column in range(min(columns, len(images))):
        _seconds(draw, font, LEFT + column * (WIDTH + GAP), size[1] - BOTTOM, seconds)
    return page


def _hertz(draw: ImageDraw.ImageDraw, font: ImageFont.ImageFont | ImageFont.FreeTypeFont, top: int, rate: int) -> None:
    """The axis of frequencies left of a row; `top` is that of its spectrograms."""
    highest = float(hz_to_mel(torch.tensor(rate / 2)))
    last = top + SPECTRUM + 99.0
    for hertz in (tick for tick in TICKS if tick < rate / 2):
        y = top + SPECTRUM * (1 - float(hz_to_mel(torch.tensor(float(hertz)))) / highest)
        if last - y < 11:
            continue
        last = y
        draw.line((LEFT - 4, y, LEFT - 1, y), fill=GRAY)
        text = f"{hertz // 1000} kHz" if hertz >= 1000 else f"{hertz} Hz"
        draw.text((LEFT - 6, y), text, GRAY, font=font, anchor="rm")


def _seconds(
    draw: ImageDraw.ImageDraw, font: ImageFont.ImageFont | ImageFont.FreeTypeFont, left: int, top: int, seconds: float
) -> None:
    """The axis of time below a column."""
    step = _round_step(seconds / 3)
    for i in range(floor(seconds / step) + 1):
        x = left + i * step / seconds * WIDTH
        draw.line((x, top, x, top + 3), fill=GRAY)
        text = f"{i * step:g}" + (" s" if (i + 1) * step > seconds else "")
        draw.text((x, top + 5), text, GRAY, font=font, anchor="ma")


def _round_step(value: float) -> float:
    """1, 2 or 5 times a power of ten that is at most a value."""
    unit = 10.0 ** floor(log10(value))
    return unit * max(factor for factor in (1, 2, 5) if factor * unit <= value * (1 + 1e-9))
