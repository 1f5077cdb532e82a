"""Where a model is explored: the space of what its samples are made from."""

from __future__ import annotations

import torch
from torch import Tensor

from sparring.errors import InputError
from sparring.explore.latents import between
from sparring.games.prior import OneHot, Uniform
from sparring.games.stylegan import StyleGAN
from sparring.model import Model
from sparring.seeds import Seeds, seeded

DRAWN = 4000  # points that deviations are taken over


class Space:
    """The latents z of a model's prior; or its styles w, one for all layers, where it has a mapping of z to them.

    Labels are int64 (n,); where a model takes labels and none are given, its classes take turns.

    Args:
        model: of pictures, points or series that are made of noise.

    Attributes:
        name: "z" or "w".
        width: how many numbers of a point may be moved; one-hot parts may not.
        movable: which these are, bool (full width,).

    Raises:
        InputError: where samples are made of something else.
    """

    def __init__(self, model: Model) -> None:
        if model.modality.source is not None or model.modality.kind == "rows":
            raise InputError(f"recipe {model.recipe.name!r} makes {kind_of(model)}; there are no latents to move among")
        self.model, self.prior = model, model.game.prior
        self.name = "w" if isinstance(model.game, StyleGAN) else "z"
        fixed = [torch.full((part.width,), isinstance(part, OneHot)) for part in self.prior.parts]
        self.movable = ~torch.cat(fixed).to(model.device)  # (full width,)
        self.width = int(self.movable.sum())

    def labels(self, n: int) -> Tensor | None:
        """Classes in turn, (n,); None where the model takes none."""
        classes = self.model.game.classes
        return torch.arange(n, device=self.model.device) % classes if classes else None

    @torch.no_grad()
    def draw(self, n: int, seed: int, label: Tensor | None = None) -> Tensor:
        """Points (n, full width): those of `model.sample(n, seed=seed)`, with these labels."""
        game, device, chunk = self.model.game, self.model.device, self.model.modality.chunk_size
        parts = []
        for start in range(0, n, chunk):
            with seeded(Seeds(seed).key("sample", start), device):
                parts.append(game.draw(chunk, device)[: n - start])
        return self.mapped(torch.cat(parts), label)

    def mapped(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        """Latents (n, full width) as points."""
        game = self.model.game
        if not isinstance(game, StyleGAN):
            return z
        w: Tensor = game.G.mapping(z, self.labels(len(z)) if label is None else label)
        return w

    def pictures(self, points: Tensor, label: Tensor | None = None) -> Tensor:
        """What nets make of points, (n, *shape), as `model.modality.decode` takes it.

        Differentiable by points that require a gradient; of others no graph is built.
        """
        game = self.model.game
        with torch.set_grad_enabled(points.requires_grad and torch.is_grad_enabled()):
            if isinstance(game, StyleGAN):
                return game.G.synthesis(points[:, None].expand(-1, game.G.styles, -1))
            return game.values(points, self.labels(len(points)) if label is None else label)

    def between(self, a: Tensor, b: Tensor, steps: int) -> Tensor:
        """(steps, ..., full width): a way from a point (..., full width) to another, its ends included. Straight
        between styles; of latents as `latents.between` has it.
        """
        if self.name == "w":
            return a.lerp(b, torch.linspace(0, 1, steps, device=a.device).view(-1, *[1] * a.ndim))
        return between(self.prior, a, b, steps)

    @torch.no_grad()
    def centre(self, label: Tensor | None = None) -> Tensor:
        """The point (full width,) of a sample that has nothing of its own: the mean style, or latents of 0, with
        one-hot parts at their first value.

        Args:
            label: of all that the mean is taken over, 0-d; of all labels unless given.
        """
        if self.name == "w":
            return self.draw(DRAWN, 0, None if label is None else label.expand(DRAWN)).mean(0)
        middle = torch.zeros(self.prior.width, device=self.model.device)
        for part in self.prior.parts:
            if isinstance(part, OneHot):
                middle[self.prior.place(part.name).start] = 1
        return middle

    @torch.no_grad()
    def deviation(self) -> Tensor:
        """Of each number of a point, (full width,); 0 where it may not be moved."""
        if self.name == "w":
            return self.draw(DRAWN, 0).std(0)
        parts = [
            torch.full(
                (part.width,), 0.0 if isinstance(part, OneHot) else 3**-0.5 if isinstance(part, Uniform) else 1.0
            )
            for part in self.prior.parts
        ]
        return torch.cat(parts).to(self.model.device)


def kind_of(model: Model) -> str:
    """What a model makes, in words."""
    return "pictures of pictures" if model.modality.source is not None else model.modality.kind
