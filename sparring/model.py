"""A trained model: what samples, saves and loads itself, long after the training data are gone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor

import sparring
from sparring import recipes
from sparring.errors import InputError
from sparring.games.game import Game
from sparring.games.mapping import Translation
from sparring.modalities import Mapped, Modality, Request, Samples
from sparring.recipe import Recipe
from sparring.seeds import Seeds, reseed
from sparring.tiles import Mapper, bands
from sparring.writing import beside, read_json, vacant, write_bytes, write_json

FORMAT = 2  # of model folders and run folders
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
        if self.modality.mapped:
            raise InputError(
                f"recipe {self.recipe.name!r} makes pictures of pictures; give it some with sparring apply"
            )
        request = self.modality.request(label, _several(where), length)
        if request.rules:
            return self._kept(n, request, seed, truncation)
        made, labels = zip(*self._drawn(n, request, seed, truncation), strict=True)
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

    def _kept(self, n: int, request: Request, seed: int | None, truncation: float | None) -> Samples:
        """Samples of which all rules are true: others are made anew."""
        found: list[Any] = []
        have, made = 0, 0
        for x, _ in self._drawn(max(PATIENCE, n * FUTILE), request, seed, truncation):
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

    def _drawn(
        self, n: int, request: Request, seed: int | None, truncation: float | None
    ) -> Iterator[tuple[Tensor, Tensor | None]]:
        asked = request.label
        if n < 1:
            raise InputError(f"{n} samples cannot be made; ask for at least 1")
        if truncation is not None and not truncation > 0:
            raise InputError(f"truncation={truncation} is out of range; it must be above 0")
        seeds = Seeds(int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else seed)
        devices = [self.device] if self.device.type == "cuda" else []
        chunk = self.modality.chunk
        for start in range(0, n, chunk):
            with torch.random.fork_rng(devices), torch.no_grad():
                reseed(seeds.key("sample", start), self.device)
                # Where samples of one draw do not depend on one another, those that are not wanted are not made.
                many = chunk if self.game.together else min(chunk, n - start)
                z = self.game.draw(chunk, self.device, truncation, request.length)[:many]
                y = self.modality.labels(chunk, self.device, asked) if self.game.conditional else None
                y = None if y is None else y[:many]
                made = (
                    self.game.sampled(z, y, asked) if truncation is None else self.game.truncated(z, y, truncation)
                )[: n - start]
                y = None if y is None else y[: n - start]
            yield made, y

    def save(self, path: str | Path, force: bool = False) -> None:
        """Write the model to a folder: `model.json` and `weights.safetensors`, no code.

        Raises:
            InputError: where something is there already and `force` is not set.
        """
        folder = Path(path)
        vacant(folder, force)
        with beside(folder) as part:
            part.mkdir()
            described = describe(self.recipe, self.modality)
            write_json(part / "model.json", described | {"about": self.about})
            weights = {name: tensor.contiguous() for name, tensor in self.game.state_dict().items()}
            write_bytes(part / "weights.safetensors", safetensors.torch.save(weights))


def _obeying(items: Any, request: Request) -> Any:
    """Those of which all rules are true."""
    return items[np.logical_and.reduce([rule.holds(items) for rule in request.rules])]


def _several(where: str | Sequence[str] | Mapping[str, Any]) -> Sequence[str]:
    """Conditions as they are typed."""
    if isinstance(where, Mapping):
        return [f"{name}={'missing' if value is None else value}" for name, value in where.items()]
    return [where] if isinstance(where, str) else where


def load(path: str | Path, device: str = "cpu") -> Model:
    """The model in a folder that `Model.save` wrote, or in a run's folder.

    Raises:
        InputError: where there is none, it is damaged, or another version wrote it.
    """
    folder = Path(path)
    if (folder / "model").is_dir():
        folder = folder / "model"
    if not (folder / "model.json").is_file():
        trained = folder / "recipe.json"
        hint = "; train it to the end with --resume" if trained.is_file() else ""
        raise InputError(f"there is no model in {path}{hint}")
    content = read_json(folder / "model.json")
    recipe, modality = restore(content, folder / "model.json")
    game = recipe.game(modality)
    try:
        game.load_state_dict(safetensors.torch.load_file(folder / "weights.safetensors", device="cpu"))
    except (OSError, SafetensorError, RuntimeError) as error:
        first = str(error).splitlines()[0]
        raise InputError(f"{folder / 'weights.safetensors'} is damaged or of another recipe: {first}") from error
    return Model(recipe, modality, game.to(device), content["about"])


def describe(recipe: Recipe, modality: Modality) -> dict[str, Any]:
    """Recipe and fitted modality as JSON."""
    return {
        "format": FORMAT,
        "sparring": sparring.__version__,
        "recipe": recipe.source,
        "fields": asdict(recipe),
        "kind": modality.kind,
        "modality": asdict(modality),
    }


def restore(content: Mapping[str, Any], path: Path) -> tuple[Recipe, Modality]:
    """What `describe` described.

    Raises:
        InputError: where another version of Sparring wrote it, or it is damaged.
    """
    if content.get("format") != FORMAT:
        raise InputError(
            f"{path} has format {content.get('format')}, written by sparring {content.get('sparring')}; "
            f"this is sparring {sparring.__version__}, which reads format {FORMAT}"
        )
    recipe = recipes.find(content["recipe"]).set(content["fields"])
    modality = recipe.modality(content["kind"])
    known = json.loads(json.dumps(content["modality"]))
    values = {f.name: _frozen(known[f.name]) for f in fields(modality) if f.name in known}
    return recipe, replace(modality, **values)


def _frozen(value: Any) -> Any:
    return tuple(_frozen(v) for v in value) if isinstance(value, list) else value
