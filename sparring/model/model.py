"""A trained model: it samples, saves and loads itself, long after the training data are gone."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import TensorDataset

import sparring
from sparring.data import tensors
from sparring.data.addresses import is_address, shown
from sparring.data.items import Items
from sparring.data.store import Progress, no_progress
from sparring.data.tensors import VALUES, Tensors
from sparring.errors import InputError
from sparring.files import check_output
from sparring.folders import check_folder
from sparring.games.game import Game, Reconstruct
from sparring.games.translation import TranslationGame
from sparring.memory import check_size, within_memory
from sparring.modalities import Modality, Request, Samples, find
from sparring.modalities.asks import Ask
from sparring.modalities.dataset import fingerprint_of
from sparring.modalities.find import was_found
from sparring.model import stored
from sparring.model.hub import local
from sparring.nets.tiles import Mapper
from sparring.recipes.base import Recipe
from sparring.seeds import Seeds, seeded

MAX_ATTEMPTS = (
    1000  # samples drawn for one that satisfies all rules, at most, once `Modality.max_draws` have been drawn
)
SAMPLE_COPIES = 2  # of samples in memory: as the nets generate them, and in the user's units


class Record(dict[str, Any]):
    """The record of a training.

    Raises:
        InputError: if an entry is asked for that it does not have, as the model was not trained or its file is damaged.
    """

    def __missing__(self, name: str) -> Any:
        raise InputError(f"the model has no {name!r} in the record of its training; give a model that sparring trained")


class Model:
    """Nets with their averaged weights, and what is known about their data.

    Attributes:
        recipe: how it was trained.
        modality: the fitted kind of data.
        game: the nets, on the device they run on.
        about: record of the training: steps, seconds, data, versions.
    """

    def __init__(self, recipe: Recipe[Any], modality: Modality, game: Game, about: Mapping[str, Any]) -> None:
        self.recipe, self.modality, self.game = recipe, modality, game.eval()
        self.about = Record(about)
        self._has_same_data = False

    def __repr__(self) -> str:
        name, step = self.about.get("name", "unknown data"), self.about.get("step", 0)
        return f"<Model {self.recipe.name} of {self.modality.words.items} on {name}, {step:,} steps>"

    @property
    def device(self) -> torch.device:
        return next(self.game.parameters()).device

    @property
    def fields(self) -> Mapping[str, Any]:
        """Names and values of the recipe's fields."""
        return vars(self.recipe)

    @property
    def asks(self) -> tuple[Ask, ...]:
        """What samples can be asked for."""
        return self.modality.asks

    @property
    def speed(self) -> float:
        """Training speed in samples per second."""
        return float(self.about["step"] * self.recipe.batch / max(0.1, self.about["seconds"]))

    def find_items(self, source: Any = None) -> Items:
        """The data that the model was trained on, or other data of its kind.

        Args:
            source: as for `modalities.find`; None for the data that the model was trained on.

        Raises:
            InputError: if the data cannot be found or read, or are not those of the training any more, or are in a
                store from which this machine has not read them.
        """
        if source is not None:
            return find(source, (type(self.modality),))
        data = self.about["data"]
        if is_address(data) and not was_found(data):  # a model from elsewhere may name any address
            raise InputError(f"the training data are at {shown(data)}; give that address to read them")
        items = find(data, (type(self.modality),))
        self._check_same(items)
        return items

    def _check_same(self, items: Items) -> None:
        """Check that data are those of the training: a path may hold others now. The check is made once.

        Raises:
            InputError: if not.
        """
        mark, version = self.about.get("fingerprint", ""), self.about.get("sparring")
        if self._has_same_data or not mark or version != sparring.__version__:
            return
        if items.total != self.about.get("items", items.total):
            return  # it is named where held-out ones are needed
        where = shown(self.about["data"])
        try:
            same = fingerprint_of(self.modality, items) == mark
        except InputError as error:
            raise InputError(
                f"{where} cannot be compared with the data that the model was trained on: {error}"
            ) from error
        if not same:
            raise InputError(f"{where} holds other data than those that the model was trained on")
        self._has_same_data = True

    def sample(
        self, n: int = 16, label: str | int | None = None, seed: int | None = None, truncation: float | None = None,
        **asked: Any,
    ) -> Samples:  # fmt: skip
        """Draw samples.

        Args:
            n: number of samples, at least 1.
            label: their class, by name; unless given, classes occur as often as in the data. Only for models that were
                trained with labels.
            seed: the same seed gives the same samples, whatever n; without it they differ each time.
            truncation: more typical, less diverse samples: latents are drawn within this many standard deviations.
                Style vectors are moved toward their mean instead: 1 leaves them as they are.
            asked: what else samples of this kind can be asked for (`Modality.asks`): `where={"income": ">50K"}` or
                `where=["income=>50K", "age>=18"]` for rows of tables, `length=250` for series.

        Raises:
            InputError: for a condition that no sample satisfies, a class that does not exist, or a number out of range.
        """
        return self.sample_request(n, self.request(label=label, **asked), seed, truncation)

    def request(self, **asked: Any) -> Request:
        """What is asked of samples, for `sample_request`.

        Raises:
            InputError: as `sample` does.
        """
        source = self.modality.source
        if source is not None:
            raise InputError(
                f"recipe {self.recipe.name!r} generates {self.modality.words.items} from given {source.words.items}; "
                "give it some with sparring apply"
            )
        return self.modality.request(**asked)

    def sample_request(
        self,
        n: int,
        request: Request,
        seed: int | None = None,
        truncation: float | None = None,
        progress: Progress = no_progress,
        searched: Progress = no_progress,
        first: int = 0,
    ) -> Samples:
        """Draw samples that satisfy a request; see `sample`.

        Args:
            request: from this model's own `request`.
            progress: called with the number of samples drawn, and the largest number that may be; what it raises ends
                the work.
            searched: called with the number of samples drawn and that of those that satisfy the request's rules, while
                they are searched for; what it raises ends the work.
            first: number of the first of them among all samples of the seed, a multiple of `Modality.chunk_size`.

        Raises:
            InputError: as `sample` does.
        """
        what, remedy = f"{n:,} {self.modality.words.items}", "ask for fewer at a time, or in parts (--worker 1/1)"
        check_size(SAMPLE_COPIES * n * self.modality.numbers_of(request.length), what, remedy)
        with within_memory(what, remedy):
            if request.rules:
                return self._sample_by_rules(n, request, seed, truncation, progress, searched, first)
            parts, conditions = zip(*self._stream(n, request, seed, truncation, progress, first), strict=True)
            samples = self.modality.decode(tensors.concatenate(parts), first)
            condition = None if conditions[0] is None else torch.cat(conditions)
            return self.samples(request, samples, condition)

    def samples(self, request: Request, decoded: Any, condition: Tensor | None) -> Samples:
        """Generated samples as they are returned.

        Args:
            request: that they were generated for.
            decoded: the samples in the user's units.
            condition: of the samples, (n, ...), or None.
        """
        modality = self.modality.answered(request)
        labels = modality.labels_of(condition) if modality.classes and condition is not None else None
        rows = None if condition is None else modality.rows_of(condition)
        return Samples(request.finished(decoded), labels, modality, rows)

    def without_D(self) -> Model | None:
        """The generator without what the adversarial training has added to it, such as a choice by D; None if it
        learned from that alone.
        """
        game = self.game.without_D()
        return None if game is None else Model(self.recipe, self.modality, game, self.about)

    def autoencoder(self) -> Reconstruct | None:
        """What encodes and decodes values of items (n, ...), given their conditions (n, ...) if samples have any; None
        if the model has no autoencoder.
        """
        reconstruct, device = self.game.autoencoder(), self.device
        if reconstruct is None:
            return None

        @torch.no_grad()
        def reconstructed(values: Tensor, condition: Tensor | None) -> Tensor:
            return reconstruct(values.to(device), None if condition is None else condition.to(device))

        return reconstructed

    @torch.no_grad()
    def logits(self, values: Tensor, condition: Tensor | None) -> Tensor | None:
        """D's logits of samples as networks see them, the first ones if it returns several; None if there is no D.

        Args:
            values: (n, ...).
            condition: of the samples, (n, ...), if the model is conditional.
        """
        D = self.game.discriminator()
        if D is None:
            return None
        found = D(values.to(self.device), None if condition is None else condition.to(self.device))
        logits: Tensor = (found if isinstance(found, Tensor) else found[0]).cpu()
        return logits

    def mapper(self, reverse: bool = False, sharpness: float = 1.0) -> Mapper:
        """What transforms given items of any size.

        Args:
            reverse: the opposite direction, for models that learned both.
            sharpness: 1 for the adversarially trained net, 0 for the net of the phase before, which has a smaller error
                and is blurrier; in between, their weights are interpolated (Wang et al. 2018, arXiv:1809.00219,
                section 3.4).

        Raises:
            InputError: if the model generates samples from noise, or has no such net.
        """
        source, game = self.modality.source, self.game
        if source is None or not isinstance(game, TranslationGame):
            raise InputError(
                f"recipe {self.recipe.name!r} generates {self.modality.words.items} from noise; it cannot be applied "
                "to files"
            )
        if not 0 <= sharpness <= 1:
            raise InputError(f"sharpness={sharpness:g} is out of range; it must be from 0 to 1")
        try:
            net = game.mapping(reverse, sharpness)
        except ValueError as error:
            asked = "reverse" if reverse else f"sharpness={sharpness:g}"
            raise InputError(f"{asked} was given, but of recipe {self.recipe.name!r} {error}") from error
        given, generated = source.shape[0], self.modality.shape[0]
        return Mapper(
            net=net.eval(), channels=generated if reverse else given, out_channels=given if reverse else generated,
            times=net.times, stride=net.stride, reach=net.reach, masked=source.masked, device=self.device,
        )  # fmt: skip

    @torch.no_grad()
    def complete(self, given: Tensors, known: Tensor, seed: int = 0) -> Tensors:
        """Samples of which a part is given, as networks see them.

        Args:
            given: the samples; what they hold in the unknown part is ignored.
            known: True in the part that is given; see the game's `complete`.

        Raises:
            InputError: if the model generates whole samples only.
        """
        with seeded(Seeds(seed).key("complete"), self.device):
            try:
                return self.game.complete(tensors.move(given, self.device), known.to(self.device))
            except NotImplementedError as error:
                raise InputError(
                    f"recipe {self.recipe.name!r} generates whole {self.modality.words.items}; it completes none"
                ) from error

    def apply(self, item: NDArray[Any], reverse: bool = False, sharpness: float = 1.0) -> NDArray[Any]:
        """Transform one item of any size.

        Args:
            item: an image (h, w, channels), uint8; where holes are filled, the last channel is a mask, 255 in holes.
                A sound (frames, channels) at the model's rate, float32.
            reverse, sharpness: as for `mapper`.

        Returns:
            An image (scale h, scale w, channels), or a sound (frames, channels).

        Raises:
            InputError: if the model cannot be applied, or not to such an item.
        """
        return self.modality.transform_item(self.mapper(reverse, sharpness), item)

    def _sample_by_rules(
        self,
        n: int,
        request: Request,
        seed: int | None,
        truncation: float | None,
        progress: Progress,
        searched: Progress,
        first: int,
    ) -> Samples:
        """Rejection sampling: samples that violate a rule are replaced."""
        kept: list[Any] = []
        have, drawn, least = 0, 0, self.modality.max_draws
        rules = request.rules
        hits = np.zeros(len(rules), np.int64)
        for batch, _ in self._stream(self.most_drawn(n, request), request, seed, truncation, progress, first):
            decoded = self.modality.decode(batch, first + drawn)
            holds = np.array([rule.holds(decoded) for rule in rules])  # (rules, samples)
            hits += holds.sum(1)
            kept.append(decoded[holds.all(0)])
            drawn, have = drawn + tensors.length(batch), have + len(kept[-1])
            if have >= n:  # rules about all samples together, such as uniqueness, are only decided at the end
                kept = [_satisfying(self.modality.concatenate(kept), request)]
                have = len(kept[0])
                if have >= n:
                    note = self._yield(request, have, drawn, hits)
                    return Samples(request.finished(kept[0][:n]), None, self.modality, notes=(note,))
            if drawn >= max(least, MAX_ATTEMPTS * (have + 1)):
                break
            searched(drawn, have)
        found = self._yield(request, have, drawn, hits)
        raise InputError(f"only {found}{_seen(request, decoded)}; ask for fewer or for a more common condition")

    def most_drawn(self, n: int, request: Request) -> int:
        """Samples that are drawn for n that satisfy a request, at most."""
        return max(self.modality.max_draws, n * MAX_ATTEMPTS) if request.rules else n

    def _yield(self, request: Request, have: int, drawn: int, hits: NDArray[np.int64]) -> str:
        """How many of the samples drawn satisfy the rules of a request, in words.

        Args:
            hits: how many satisfy each.
        """
        rules = " and ".join(rule.text for rule in request.rules)
        shares = [f"{rule.text}: {count / drawn:.0%}" for rule, count in zip(request.rules, hits, strict=True)]
        each = f" ({', '.join(shares)})" if len(shares) > 1 else ""
        return f"{have:,} of {drawn:,} generated {self.modality.words.items} satisfy {rules}{each}"

    def stream(
        self, n: int, seed: int | None = None, truncation: float | None = None, first: int = 0, **asked: Any
    ) -> Iterator[tuple[Tensors, Tensor | None]]:
        """Samples batch by batch, as nets generate them, with their conditions (batch, ...) if they have any.

        Args:
            first: as for `sample_request`.

        Raises:
            InputError: as `sample` does.
        """
        return self._stream(n, self.modality.request(**asked), seed, truncation, first=first)

    def dataset(self, n: int, seed: int | None = None, truncation: float | None = None, **asked: Any) -> TensorDataset:
        """Samples for a `DataLoader`: of each, its values as networks see them, and its condition if samples have one.

        Raises:
            InputError: as `sample` does.
        """
        check_size(
            SAMPLE_COPIES * n * self.modality.numbers_of(), f"{n:,} {self.modality.words.items}", "ask for fewer"
        )
        parts, conditions = zip(*self.stream(n, seed, truncation, **asked), strict=True)
        values = torch.cat([part[VALUES] for part in parts]).cpu()
        return TensorDataset(values, *([] if conditions[0] is None else [torch.cat(conditions).cpu()]))

    @property
    def generator(self) -> nn.Module:
        """The generator as a module with the model's own weights, which `sparring export` writes: latents (n, ...)
        [, conditions (n, ...)], as `latents` draws them, or given items (n, ...) -> values (n, *shape) as networks see
        them.

        Raises:
            InputError: if samples are generated in a way that is no module.
        """
        try:
            return self.game.graph(self.modality).net.eval()
        except ValueError as error:
            raise InputError(f"recipe {self.recipe.name!r} has no generator of its own: {error}") from error

    def latents(
        self, n: int, request: Request, seed: int | None = None, truncation: float | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """The latents (n, width) and conditions (n, ...) that `sample` would generate n samples from. Those of several
        requests may be passed to `generate` together unless the game is batch dependent.

        Raises:
            InputError: as `sample` does.
        """
        parts = []
        for start, key in self._chunks(n, seed, truncation):
            with seeded(key, self.device):
                parts.append(self._draw(min(self.modality.chunk_size, n - start), request, truncation))
        z, conditions = zip(*parts, strict=True)
        return torch.cat(z), None if conditions[0] is None else torch.cat(conditions)

    @torch.no_grad()
    def generate(
        self, z: Tensor, condition: Tensor | None, truncation: float | None = None, requested: Tensor | None = None
    ) -> Tensors:
        """Samples as nets generate them from `latents` that were drawn with this truncation.

        Args:
            requested: the part of a condition that was asked for, as in `Request.condition`.
        """
        if truncation is None:
            return self.game.sample(z, condition, requested)
        return self.game.sample_truncated(z, condition, truncation)

    def _stream(
        self,
        n: int,
        request: Request,
        seed: int | None,
        truncation: float | None,
        progress: Progress = no_progress,
        first: int = 0,
    ) -> Iterator[tuple[Tensors, Tensor | None]]:
        chunk = self.modality.chunk_size
        for start, key in self._chunks(n, seed, truncation, first):
            progress(start, n)
            # Unless samples of a batch depend on one another, only those that are needed are generated, and nets draw
            # no random numbers: other threads may draw while they compute.
            count = chunk if self.game.batch_dependent else min(chunk, n - start)
            with ExitStack() as drawing:
                drawing.enter_context(seeded(key, self.device))
                z, condition = self._draw(count, request, truncation)
                if not self.game.batch_dependent:
                    drawing.close()
                samples = self.generate(z, condition, truncation, request.condition)
            yield tensors.take(samples, slice(n - start)), None if condition is None else condition[: n - start]

    def _chunks(self, n: int, seed: int | None, truncation: float | None, first: int = 0) -> Iterator[tuple[int, int]]:
        """Start of each chunk of samples that are drawn together, from 0 on, and the key of its random numbers."""
        if n < 1:
            raise InputError(f"{n} samples cannot be drawn; ask for at least 1")
        if truncation is not None and not truncation > 0:
            raise InputError(f"truncation={truncation} is out of range; it must be above 0")
        seeds = Seeds(int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else seed)
        for start in range(0, n, self.modality.chunk_size):
            yield start, seeds.key("sample", first + start)

    def _draw(self, count: int, request: Request, truncation: float | None) -> tuple[Tensor, Tensor | None]:
        """The first latents and conditions of a chunk."""
        chunk = self.modality.chunk_size
        z = self.game.draw(chunk, self.device, truncation, request.length, request.every, request.seeds)[:count]
        conditional = self.game.conditional or request.condition is not None
        y = self.modality.draw_conditions(chunk, self.device, request.condition) if conditional else None
        y = None if y is None else y[:count]
        return self._begun(z, y, request, truncation), y

    @torch.no_grad()
    def _begun(self, z: Tensor, condition: Tensor | None, request: Request, truncation: float | None) -> Tensor:
        """Latents of samples that begin as requested."""
        if request.beginnings is None:
            return z
        return self.game.begun(z, condition, request.beginnings.to(self.device), truncation)

    def save(self, path: str | Path, force: bool = False, half: bool = False) -> None:
        """Write the model to a folder (`model.json` and `weights.safetensors`), or to one file if the path ends in
        `.safetensors`. No code is written.

        Args:
            half: store weights in 16 bits, for half the size.

        Raises:
            InputError: if something exists there and `force` is not set.
        """
        place = Path(path)
        if place.suffix == stored.SINGLE:
            check_output(place, force, file=True)
        else:
            check_folder(place, stored.MODEL, force)
        self._write(place, half)

    def _write(self, place: Path, half: bool = False, older: Collection[str] = ()) -> None:
        described = stored.describe(self.recipe, self.modality) | {"about": self.about}
        stored.write(place, described, self.game.state_dict(), half, older)

    def portable(self) -> Model:
        """This model without paths of this machine and without credentials, as it may be published."""
        about = {**self.about, "data": stored.unplaced(self.about["data"])} if "data" in self.about else self.about
        return Model(self.recipe.portable(), self.modality.portable(), self.game, about)

    def replace(self, folder: Path) -> None:
        """Write the model to the folder of the model of a run, over an older one."""
        self._write(folder, older=stored.FILES)


def _seen(request: Request, items: Any) -> str:
    """What samples have of what is asked, in brackets, where the rules tell it."""
    said = [text for rule in request.rules if hasattr(rule, "seen") and (text := rule.seen(items))]
    return f" ({'; '.join(said)})" if said else ""


def _satisfying(items: Any, request: Request) -> Any:
    """The items that satisfy every rule."""
    return items[np.logical_and.reduce([rule.holds(items) for rule in request.rules])]


def load(path: str | Path, device: str = "cpu", trust: bool = False) -> Model:
    """The model in a folder or a file that `Model.save` wrote, in a run's folder, or on the Hugging Face Hub.

    Args:
        path: of the folder or file; `hf://owner/name` or `hf://owner/name@revision` for a model of the Hub.
        trust: run the recipe file that the model names. Models of Sparring's own recipes hold no code and need no
            trust; those of other recipes are refused unless it is set.

    Raises:
        InputError: if there is none, it is damaged, another version wrote it, it is of a recipe file and `trust` is not
            set, the Hub cannot be reached, or the environment variable SPARRING_VERIFY_KEY names a key that it is not
            signed with.
    """
    recipe, modality, game, about = stored.read(local(path), trust)
    return Model(recipe, modality, game.to(device), about)
