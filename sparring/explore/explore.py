"""Sheets that show what a model has learnt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from sparring.data import find
from sparring.errors import InputError
from sparring.explore.latents import REACH, between, chosen, turned
from sparring.games.prior import OneHot, Uniform
from sparring.games.stylegan import StyleGAN
from sparring.games.vae import Autoencoder
from sparring.judge import read
from sparring.model import Model, load
from sparring.seeds import Seeds, reseed
from sparring.sheets import sheet
from sparring.writing import beside, vacant

ROWS = 8
STEPS = 11
SHARES = (0.2, 0.4, 0.6, 0.8, 1.0)


@dataclass(frozen=True)
class Sheet:
    """A sheet and what it shows.

    Attributes:
        name: of its file, without the suffix.
        shows: in words.
        picture: the sheet.
    """

    name: str
    shows: str
    picture: Image.Image


def explore(
    run: str | Path, out: str | Path, data: str | None = None, seed: int = 0, device: str = "cpu", force: bool = False
) -> list[Sheet]:
    """Draw sheets of what a model of pictures has learnt, and write them to a folder.

    Args:
        run: a run's folder, or a model's.
        out: a folder that is made.
        data: real pictures for a model that reconstructs; those that it was trained on unless given.
        seed: chooses the latents that are shown.

    Raises:
        InputError: where there is no such model, it makes no pictures, or something is in `out` already.
    """
    model = load(run, device)
    if model.modality.kind != "images":
        kind = "pictures of pictures" if model.modality.mapped else model.modality.kind
        raise InputError(f"{run} makes {kind}; exploring draws sheets of pictures")
    vacant(Path(out), force)
    sheets = sheets_of(model, data, seed)
    with beside(Path(out)) as part:
        part.mkdir()
        for one in sheets:
            one.picture.save(part / f"{one.name}.png", optimize=True)
    return sheets


@torch.no_grad()
def sheets_of(model: Model, data: str | None = None, seed: int = 0) -> list[Sheet]:
    """All sheets that a model has something to show on; the others are as of `explore`."""
    game = model.game
    with torch.random.fork_rng([model.device] if model.device.type == "cuda" else []):
        reseed(Seeds(seed).key("explore"), model.device)
        z = game.draw(2 * ROWS, model.device)
    label = torch.arange(ROWS, device=z.device) % game.classes if game.classes else None
    drawing = _Drawing(model, z[:ROWS], label)
    found = [drawing.way(z[ROWS:]), drawing.typical()]
    for part in game.prior.parts:
        if isinstance(part, OneHot):
            found.append(drawing.choice(part))
        elif isinstance(part, Uniform):
            found += [drawing.turn(part, number) for number in range(part.width)]
    if isinstance(game, StyleGAN):
        found.append(drawing.mixed(z[ROWS:]))
    if isinstance(game, Autoencoder):
        found.append(_again(model, game, data))
    return found


@dataclass(frozen=True)
class _Drawing:
    """A model with the latents (rows, width) and labels (rows,) of its sheets' rows."""

    model: Model
    z: Tensor
    label: Tensor | None

    def _sheet(self, rows: Tensor, columns: int) -> Image.Image:
        """Latents (rows * columns, width) as pictures, each row with its label."""
        label = None if self.label is None else self.label.repeat_interleave(columns)
        return _shown(self.model, self.model.game.generate(rows, label), columns)

    def way(self, ends: Tensor) -> Sheet:
        prior = self.model.game.prior
        rows = torch.cat([between(prior, a, b, STEPS) for a, b in zip(self.z, ends, strict=True)])
        return Sheet("interpolation", "from one sample to another, a way for each row", self._sheet(rows, STEPS))

    def typical(self) -> Sheet:
        """By shortening normal latents, or by the model's own truncation."""
        game = self.model.game
        columns = [
            game.truncated(self.z, self.label, share)
            if isinstance(game, StyleGAN)
            else game.generate(self._shortened(share), self.label)
            for share in SHARES
        ]
        pictures = torch.stack(columns, 1).flatten(0, 1)
        shows = "from near the mean of all to the sample itself, to the right"
        return Sheet("typical", shows, _shown(self.model, pictures, len(SHARES)))

    def _shortened(self, times: float) -> Tensor:
        z = self.z.clone()
        for part in self.model.game.prior.parts:
            if not isinstance(part, OneHot):
                z[:, self.model.game.prior.place(part.name)] *= times
        return z

    def choice(self, part: OneHot) -> Sheet:
        rows = chosen(self.model.game.prior, self.z, part)
        shows = f"a column for each value of {part.name!r}, all else equal along a row"
        return Sheet(part.name, shows, self._sheet(rows, part.width))

    def turn(self, part: Uniform, number: int) -> Sheet:
        rows = turned(self.model.game.prior, self.z, part, number, STEPS)
        shows = f"number {number + 1} of {part.name!r} from {-REACH:g} to {REACH:g}, all else equal along a row"
        return Sheet(f"{part.name}-{number + 1}", shows, self._sheet(rows, STEPS))

    def mixed(self, others: Tensor) -> Sheet:
        """Coarse styles of the row's sample, fine ones of the column's."""
        game = self.model.game
        assert isinstance(game, StyleGAN)
        coarse = game.G.mapping(self.z, self.label).repeat_interleave(len(others), 0)
        fine = game.G.mapping(others, self.label).repeat(len(self.z), 1)
        first = torch.arange(game.G.styles, device=coarse.device) < game.G.styles // 2
        w = torch.where(first[:, None], coarse[:, None], fine[:, None])
        shows = "coarse styles of a sample for each row, fine ones of a sample for each column"
        return Sheet("mixed", shows, _shown(self.model, game.G.synthesis(w), len(others)))


def _again(model: Model, game: Autoencoder, data: str | None) -> Sheet:
    """Held-out pictures, and below each what the model makes of it."""
    items = find(data or model.about["data"])
    real, notes = read(model.modality, items)
    rows = real.data.held if len(real.data.held) >= ROWS else real.data.rows
    rows = rows[: min(4, len(rows) // ROWS) * ROWS]
    x = torch.cat([x for x, _ in real.batches(rows)]).to(model.device)
    label = real.labels(rows)
    if game.classes and label is None:
        raise InputError(f"{items.name!r} cannot be reconstructed by a model that takes labels: {'; '.join(notes)}")
    again = game.reconstruct(x, label.to(model.device) if game.classes and label is not None else None)
    pairs = zip(torch.split(x, ROWS), torch.split(again, ROWS), strict=True)
    lines = torch.cat([line for pair in pairs for line in pair])
    return Sheet("reconstructed", "real pictures, and below each what is made of it", _shown(model, lines, ROWS))


def _shown(model: Model, pictures: Tensor, columns: int) -> Image.Image:
    """Pictures as nets make them, on a sheet."""
    return sheet(model.modality.decode(pictures).astype(np.uint8), columns)
