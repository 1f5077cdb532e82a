"""A trained model: what samples, saves and loads itself, long after the training data are gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.data.store import Progress
from sparring.errors import InputError
from sparring.files import vacant
from sparring.games.game import Game
from sparring.games.mapping import Translation
from sparring.modalities import Mapped, Modality, Request, Samples
from sparring.modalities.base import unseen
from sparring.model import stored
from sparring.nets.tiles import Mapper, bands
from sparring.recipes.base import Recipe
from sparring.seeds import Seeds, seeded

FUTILE = 1000  # samples made for one that is kept, at most,
PATIENCE = 200_000  # once so many have been made


class Model:
    """Nets with their averaged weights, and what is known about their data.

    Attributes:
        recipe: how it was trained.
        modality: the fitted kind of data.
        game: the nets, on the device they run on.
        about: what is recorded of the training: steps, seconds, data, versions.
    """

    def __init__(self, recipe: Recipe, modality: Modality, game: Game, about: Mapping[str, Any]) -> None:
        self.recipe, self.modality, self.game = recipe, modality, game.eval()
        self.about = dict(about)

    @property
    def device(self) -> torch.device:
        return next(self.game.parameters()).device

    @property
    def speed(self) -> float:
        """Samples that it was trained on per second."""
        return float(self.about["step"] * self.recipe.batch / max(0.1, self.about["seconds"]))

    def sample(
        self,
        n: int = 16,
        label: str | int | None = None,
        seed: int | None = None,
        truncation: float | None = None,
        where: str | Sequence[str] | Mapping[str, Any] = (),
        length: int | None = None,
    ) -> Samples:
        """Make samples.

        Args:
            n: how many, at least 1.
            label: of what class, by name; without it, classes come as often as in the data. Only
                for models trained with labels.
            seed: the same seed makes the same samples, whatever n; without it they differ each time.
            truncation: more typical, less various samples: latents are drawn within so many standard
                deviations, or styles so far from the mean, where there are styles.
            where: for rows of tables, what is true of all of them: {"income": ">50K"}, or conditions as they are
                typed: ["income=>50K", "age>=18"].
            length: for series, how many steps; as many as D was shown unless given.

        Raises:
            InputError: for conditions that no row has, a label that there is not, or a number out of range.
        """
        return self.fulfilled(n, self.request(label, where, length), seed, truncation)

    def request(
        self,
        label: str | int | None = None,
        where: str | Sequence[str] | Mapping[str, Any] = (),
        length: int | None = None,
    ) -> Request:
        """What is asked of samples, as `sample` takes it.

        Raises:
            InputError: as `sample` does.
        """
        if self.modality.mapped:
            raise InputError(
                f"recipe {self.recipe.name!r} makes pictures of pictures; give it some with sparring apply"
            )
        return self.modality.request(label, _several(where), length)

    def fulfilled(
        self,
        n: int,
        request: Request,
        seed: int | None = None,
        truncation: float | None = None,
        progress: Progress = unseen,
    ) -> Samples:
        """Samples as they are asked for; see `sample`.

        Args:
            request: of this model's own `request`.
            progress: told how many have been made, of how many at most; what it raises ends the work.

        Raises:
            InputError: as `sample` does.
        """
        if request.rules:
            return self._kept(n, request, seed, truncation, progress)
        made, labels = zip(*self._drawn(n, request, seed, truncation, progress), strict=True)
        chosen = torch.cat(labels).cpu().numpy() if self.modality.classes else None
        return Samples(self.modality.decode(torch.cat(made)), chosen, self.modality)

    def mapper(self, reverse: bool = False, sharpness: float = 1.0) -> Mapper:
        """What makes pictures of given pictures of any size.

        Args:
            reverse: the other way, where the model knows one.
            sharpness: 1 for what the model has learnt against D, 0 for the net of the phase before, which errs less and
                blurs more, or a mixture of their weights (Wang et al. 2018, arXiv:1809.00219, section 3.4).

        Raises:
            InputError: where it makes nothing of pictures, or not so.
        """
        modality, game = self.modality, self.game
        if not isinstance(modality, Mapped) or not isinstance(game, Translation):
            raise InputError(
                f"recipe {self.recipe.name!r} makes {modality.kind} of noise; nothing can be applied to files"
            )
        if not 0 <= sharpness <= 1:
            raise InputError(f"sharpness={sharpness:g} is out of range; it must be from 0 to 1")
        try:
            net = game.mapping(reverse, sharpness)
        except ValueError as error:
            asked = "reverse" if reverse else f"sharpness={sharpness:g}"
            raise InputError(f"{asked} was given, but of recipe {self.recipe.name!r} {error}") from error
        channels, made = modality.given, modality.channels
        return Mapper(
            net=net.eval(), channels=made if reverse else channels, made=channels if reverse else made,
            times=net.times, stride=net.stride, reach=net.reach, masked=modality.masked, device=self.device,
        )  # fmt: skip

    def apply(self, picture: NDArray[np.uint8], reverse: bool = False, sharpness: float = 1.0) -> NDArray[np.uint8]:
        """What the model makes of a picture of any size.

        Args:
            picture: (h, w, channels), with a mask as the last channel where holes are filled, 255 in holes.
            reverse, sharpness: as for `mapper`.

        Returns:
            (times h, times w, channels).

        Raises:
            InputError: where it makes nothing of pictures, or not of such.
        """
        mapper = self.mapper(reverse, sharpness)
        if picture.ndim != 3 or picture.shape[2] != mapper.channels:
            raise InputError(
                f"a picture of shape {tuple(picture.shape)} was given; give (height, width, {mapper.channels})"
            )
        return np.concatenate(list(bands(mapper, picture)))

    def _kept(
        self, n: int, request: Request, seed: int | None, truncation: float | None, progress: Progress
    ) -> Samples:
        """Samples of which all rules are true: others are made anew."""
        found: list[Any] = []
        have, made = 0, 0
        for x, _ in self._drawn(max(PATIENCE, n * FUTILE), request, seed, truncation, progress):
            found.append(_obeying(self.modality.decode(x, made), request))
            made, have = made + len(x), have + len(found[-1])
            if have >= n:  # of rules for all samples together, as that none comes twice, one knows in the end only
                found = [_obeying(self.modality.joined(found), request)]
                have = len(found[0])
                if have >= n:
                    return Samples(found[0][:n], None, self.modality)
            if made >= max(PATIENCE, FUTILE * (have + 1)):
                break
        asked = " and ".join(rule.text for rule in request.rules)
        kind = self.modality.kind
        raise InputError(f"of {made:,} {kind} {have:,} have {asked}; ask for less, or for what is likelier")

    def drawn(
        self,
        n: int,
        label: str | int | None = None,
        seed: int | None = None,
        truncation: float | None = None,
        length: int | None = None,
    ) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Samples some at a time, as nets make them: (some, *shape), and their labels (some, ...)
        where there are labels.

        Raises:
            InputError: as `sample` does.
        """
        return self._drawn(n, self.modality.request(label, length=length), seed, truncation)

    def latents(
        self, n: int, request: Request, seed: int | None = None, truncation: float | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """What `sample` makes n samples of before nets see it: latents (n, width), and labels (n, ...) where there are
        labels. Those of several requests may go through `made` in one pass where the game's samples do not depend on
        one another.

        Raises:
            InputError: as `sample` does.
        """
        parts = []
        for start, key in self._chunks(n, seed, truncation):
            with seeded(key, self.device):
                parts.append(self._latents(min(self.modality.chunk, n - start), request, truncation))
        z, labels = zip(*parts, strict=True)
        return torch.cat(z), None if labels[0] is None else torch.cat(labels)

    @torch.no_grad()
    def made(
        self, z: Tensor, label: Tensor | None, truncation: float | None = None, asked: Tensor | None = None
    ) -> Tensor:
        """Samples (n, *shape) as nets make them of `latents` that were drawn with this truncation.

        Args:
            asked: which part of a label was asked for, as a `Request` has it.
        """
        if truncation is None:
            return self.game.sampled(z, label, asked)
        return self.game.truncated(z, label, truncation)

    def _drawn(
        self, n: int, request: Request, seed: int | None, truncation: float | None, progress: Progress = unseen
    ) -> Iterator[tuple[Tensor, Tensor | None]]:
        chunk = self.modality.chunk
        for start, key in self._chunks(n, seed, truncation):
            progress(start, n)
            # Where samples of one draw do not depend on one another, those that are not wanted are not made, and nets
            # draw nothing: other threads may draw while they compute.
            many = chunk if self.game.together else min(chunk, n - start)
            with ExitStack() as drawing:
                drawing.enter_context(seeded(key, self.device))
                z, y = self._latents(many, request, truncation)
                if not self.game.together:
                    drawing.close()
                made = self.made(z, y, truncation, request.label)[: n - start]
            yield made, None if y is None else y[: n - start]

    def _chunks(self, n: int, seed: int | None, truncation: float | None) -> Iterator[tuple[int, int]]:
        """Where samples that are drawn at once begin, and the key of their draw."""
        if n < 1:
            raise InputError(f"{n} samples cannot be made; ask for at least 1")
        if truncation is not None and not truncation > 0:
            raise InputError(f"truncation={truncation} is out of range; it must be above 0")
        seeds = Seeds(int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else seed)
        for start in range(0, n, self.modality.chunk):
            yield start, seeds.key("sample", start)

    def _latents(self, many: int, request: Request, truncation: float | None) -> tuple[Tensor, Tensor | None]:
        """The first so many of a draw."""
        chunk = self.modality.chunk
        z = self.game.draw(chunk, self.device, truncation, request.length)[:many]
        y = self.modality.labels(chunk, self.device, request.label) if self.game.conditional else None
        return z, None if y is None else y[:many]

    def save(self, path: str | Path, force: bool = False, half: bool = False) -> None:
        """Write the model to a folder, `model.json` and `weights.safetensors`, or to one file where the path ends in
        `.safetensors`; no code.

        Args:
            half: weights in sixteen bits, for half the size.

        Raises:
            InputError: where something is there already and `force` is not set.
        """
        place = Path(path)
        vacant(place, force, file=place.suffix == stored.SINGLE)
        described = stored.describe(self.recipe, self.modality) | {"about": self.about}
        stored.write(place, described, self.game.state_dict(), half)


def _obeying(items: Any, request: Request) -> Any:
    """Those of which all rules are true."""
    return items[np.logical_and.reduce([rule.holds(items) for rule in request.rules])]


def _several(where: str | Sequence[str] | Mapping[str, Any]) -> Sequence[str]:
    """Conditions as they are typed."""
    if isinstance(where, Mapping):
        return [f"{name}={'missing' if value is None else value}" for name, value in where.items()]
    return [where] if isinstance(where, str) else where


def load(path: str | Path, device: str = "cpu") -> Model:
    """The model in a folder or a file that `Model.save` wrote, or in a run's folder.

    Raises:
        InputError: where there is none, it is damaged, or another version wrote it.
    """
    recipe, modality, game, about = stored.read(Path(path))
    return Model(recipe, modality, game.to(device), about)
