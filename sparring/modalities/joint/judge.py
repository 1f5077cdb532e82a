"""The judge of items of several parts: whether the parts belong together, then each part by its own judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from sparring.data.items import Items
from sparring.data.tensors import VALUES, Tensors
from sparring.errors import InputError
from sparring.metrics.frechet import frechet, moments
from sparring.metrics.results import Evaluation, Finding, Number
from sparring.modalities.asks import Ask
from sparring.modalities.joint.matcher import Matcher
from sparring.modalities.joint.parts import RowPart
from sparring.modalities.judge import Console, Judge, Sampler, TrainingData
from sparring.modalities.samples import Samples

if TYPE_CHECKING:
    from sparring.modalities.base import Modality
    from sparring.modalities.joint.joint import Joint
    from sparring.modalities.joint.parts import Part
    from sparring.modalities.joint.tuples import Rows

Say = Callable[[str], None]
PartJudge = Callable[["Modality", TrainingData, Items | None], Judge]
MIN_ITEMS = 24
MIN_SAMPLES = 20
MAX_SAMPLES = 1000  # that are evaluated unless given
MAX_REFERENCE = 4000
CANDIDATES = 10  # of which one belongs to an item, where it is searched
BELONGING = 0.5  # of the way from chance to real items; below it, parts do not belong together


class PartSampler:
    """One part of a model's samples.

    Args:
        model: generates the items.
        part: of them.
    """

    def __init__(self, model: Sampler, part: Part) -> None:
        self.model, self.part, self.modality = model, part, part.modality

    @property
    def fields(self) -> Mapping[str, object]:
        """Those of the recipe of the whole."""
        return self.model.fields

    @property
    def asks(self) -> tuple[Ask, ...]:
        """What the whole can be asked for."""
        return self.model.asks

    def sample(self, n: int, *, seed: int | None = None, **asked: Any) -> Samples:
        """n samples of the part."""
        items = self.model.sample(n, seed=seed, **asked).items
        return Samples(items.parts[self.part.name], None, self.modality)

    def stream(
        self, n: int, seed: int | None = None, truncation: float | None = None, first: int = 0, **asked: Any
    ) -> Iterator[tuple[Tensors, Tensor | None]]:
        """n samples of the part batch by batch."""
        joint = _joint(self.model)
        place = joint.parts.index(self.part)
        for samples, _ in self.model.stream(n, seed, truncation, first, **asked):
            yield joint.own(samples)[place][1], None

    def without_D(self) -> None:
        """None: the nets of a part alone generate nothing."""

    def autoencoder(self) -> None:
        """None: there is none of a part."""

    def logits(self, values: Tensor, condition: Tensor | None) -> None:
        """None: D judges whole items."""

    def complete(self, given: Tensors, known: Tensor) -> Tensors:  # noqa: ARG002
        raise InputError("a part is completed by asking for the others; use --given")

    def mapper(self, reverse: bool = False, sharpness: float = 1.0) -> Any:  # noqa: ARG002
        raise InputError("parts are generated from noise; they cannot be applied to files")


def _joint(model: Sampler) -> Joint:
    from sparring.modalities.joint.joint import Joint

    modality = model.modality
    assert isinstance(modality, Joint)
    return modality


class JointJudge(Judge):
    """Compares the parts of samples with each other as a matcher sees them that was trained on real items, and each
    part with real ones.

    Args:
        joint: fitted to the data.
        tensors: encoded items.
        train, unseen: rows of the items that the matcher is trained on, and of others, both in random order.
        held: False if the unseen items were trained on after all, because there are too few.
        judges: of the parts; empty to judge only whether they belong together.
        name: of the data.
    """

    def __init__(
        self, joint: Joint, tensors: Tensors, train: Tensor, unseen: Tensor, held: bool,
        judges: Callable[[], Mapping[Part, Judge]], say: Say = lambda _: None, name: str = "the data",
    ) -> None:  # fmt: skip
        self.joint, self.tensors, self.train, self.unseen = joint, tensors, train, unseen
        self.held, self.judges, self.say, self.name = held, judges, say, name

    @property
    def axes(self) -> tuple[str, str]:
        first, second, *_ = self.joint.parts
        return f"matching[{first.name},{second.name}]", f"retrieval[{first.name},{second.name}]"

    @cached_property
    def matcher(self) -> Matcher:
        self.say("training a matcher of the parts")
        whole = self.tensors["present"].bool().all(1)
        return Matcher(self.joint, self.tensors, self.train[whole[self.train]])

    def evaluate(self, model: Sampler, n: int | None, seed: int, console: Console) -> Evaluation:
        count = n or min(MAX_SAMPLES, max(MIN_SAMPLES, len(self.unseen)))
        if count < MIN_SAMPLES:
            raise InputError(f"{count} items are too few to evaluate; give at least {MIN_SAMPLES}")
        console.say(f"evaluating {count:,} items")
        values = torch.cat([samples[VALUES].cpu() for samples, _ in model.stream(count, seed)])
        rounded = self.joint.layout.split(self.joint.scale(self.joint.unscale(values)))
        numbers, floor, shuffled = self.numbers(rounded), self.floor, self.shuffled
        found, own, real = list(self.findings(numbers)), list[Number](), list[Number]()
        for part, judge in self.judges().items():
            console.say(f"evaluating the {part.name}s alone")
            one = judge.evaluate(PartSampler(model, part), n, seed, console)
            own += _named(one.numbers, part)
            real += _named(one.floor, part)
            found += [replace(finding, name=f"{part.name}: {finding.name}") for finding in one.findings]
        return Evaluation(
            data=self.name, protocol=self._protocol(count), samples=count, real=len(self.unseen),
            numbers=(*numbers, *own), floor=(*floor, *real), baselines={"shuffled": shuffled}, findings=tuple(found),
        )  # fmt: skip

    def _protocol(self, count: int) -> str:
        part = "held-out" if self.held else "training (too few to hold some out)"
        return (
            f"{count:,} items; matching: how often a matcher that was trained on {len(self.train):,} real items "
            f"prefers an item's own part to that of another; retrieval: how often it finds it among {CANDIDATES}; "
            "agreement: columns that are read alike off two parts, or off a part and the row, by nets that were "
            "trained on real items; fid[together]: of the matcher's vectors of the parts and their products; real: "
            f"{len(self.unseen):,} {part} items; shuffled: their parts in another order; numbers that begin with a "
            "part's name: its own judge's"
        )

    def _real(self, shift: int = 0) -> list[Tensor]:
        """The unseen items by part, the second part moved by one item, the third by two, and so on, if shifted."""
        return [part.roll(shift * i, 0) for i, part in enumerate(self.matcher.split(self.tensors, self.unseen))]

    @cached_property
    def floor(self) -> list[Number]:
        """Numbers of the unseen items."""
        return self.numbers(self._real())

    @cached_property
    def shuffled(self) -> list[Number]:
        """Numbers of real parts that do not belong together."""
        return self.numbers(self._real(1))

    @cached_property
    def _reference(self) -> Tensor:
        """The matcher's vectors of training items."""
        vectors, _ = self.matcher.read(self.matcher.split(self.tensors, self.train[:MAX_REFERENCE]))
        return _together(vectors)

    def numbers(self, values: Sequence[Tensor]) -> list[Number]:
        """All numbers of items whose parts are given, (n, *shape) each."""
        vectors, codes = self.matcher.read(values)
        names = [part.name for part in self.joint.parts]
        found: list[Number] = []
        for i, j in combinations(range(len(names)), 2):
            pair = f"[{names[i]},{names[j]}]"
            own, others = _similarities(vectors[i], vectors[j])
            preferred = (own > others).float() + (own == others).float() / 2
            found.append(Number(f"matching{pair}", float(preferred.mean()), "high", share=True))
            first = (own > others).all(0).float().mean()
            found.append(Number(f"retrieval{pair}", float(first), "high", share=True))
            if codes:
                agree = self.matcher.agree(codes[i], codes[j]).float()
                found.append(Number(f"agreement{pair}", float(agree.mean()), "high", share=True))
        found += self._by_column(codes)
        m = min(len(values[0]), len(self.unseen))
        distance = frechet(moments(_together([vector[:m] for vector in vectors])), moments(self._reference))
        return [*found, Number("fid[together]", distance, "low")]

    def _by_column(self, codes: Sequence[Tensor]) -> Iterator[Number]:
        """The agreement of each column of the rows with what the first other part shows."""
        row = self.joint.row
        if row is None or len(row.fields) < 2:
            return
        place = self.joint.parts.index(row)
        other = next(i for i in range(len(codes)) if i != place)
        agree = self.matcher.agree(codes[place], codes[other]).float().mean(0)
        for field, share in zip(row.fields, agree.tolist(), strict=True):
            yield Number(f"agreement[{field}]", share, "high", share=True)

    def findings(self, numbers: Sequence[Number]) -> Iterator[Finding]:
        """Parts that do not belong together."""
        value, real, chance = ({n.name: n.value for n in column} for column in (numbers, self.floor, self.shuffled))
        wrong = [
            f"{name} {value[name]:.0%}, real {real[name]:.0%}, shuffled {chance[name]:.0%}"
            for name in value
            if name.startswith(("matching", "agreement["))
            and value[name] < chance[name] + BELONGING * (real[name] - chance[name])
            and real[name] > chance[name]
        ]
        if wrong:
            more = f"; and {len(wrong) - 3} more" if len(wrong) > 3 else ""
            yield Finding(
                "parts do not belong together", "; ".join(wrong[:3]) + more, "train longer, or raise contrast"
            )


def _named(numbers: Sequence[Number], part: Part) -> list[Number]:
    return [replace(number, name=f"{part.name} {number.name}") for number in numbers]


def _similarities(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Of an item's two parts, (n,), and of its first part and the second one of nine other items, (9, n)."""
    n = len(one)
    steps = [1 + i * max(1, (n - 1) // CANDIDATES) for i in range(min(CANDIDATES - 1, n - 1))]
    own = (one * other).sum(1)
    return own, torch.stack([(one * other.roll(step, 0)).sum(1) for step in steps])


def _together(vectors: Sequence[Tensor]) -> Tensor:
    """What is compared of whole items: the vectors of all parts, and the products of two."""
    products = [8 * one * other for one, other in combinations(vectors, 2)]
    return torch.cat([*vectors, *products], 1)


def joint_judge(
    joint: Joint, training: TrainingData, against: Items | None, options: Mapping[str, Any], say: Say
) -> JointJudge:
    """The judge of a model's samples.

    Args:
        options: with a function "judge" that makes the judge of a part; without one, parts are not judged alone.

    Raises:
        InputError: if the data are missing, changed or too few.
    """
    if features := options.get("features"):
        raise InputError(f"features={features[0]} is not for items of several parts, each of which has its own metrics")
    items = training.items if against is None else against
    if against is None:
        training.check_unchanged(joint.words.items)
    encoded = joint.encode(items)
    if len(encoded.items) < MIN_ITEMS:
        raise InputError(f"{items.name!r} has {len(encoded.items)} items; evaluating needs at least {MIN_ITEMS}")
    tensors = {name: tensor for name, tensor in encoded.tensors.items() if isinstance(tensor, Tensor)}
    split = joint.split(items, encoded.readable)
    train, held = split.samples(encoded.items)
    whole = tensors["present"].bool().all(1).numpy()
    known = [rows[whole[rows]] for rows in (train, held)]
    enough = len(known[1]) >= MIN_SAMPLES
    unseen = known[1] if enough else known[0]

    def judges() -> Mapping[Part, Judge]:
        judge: PartJudge | None = options.get("judge")
        if judge is None:
            return {}
        return {
            part: judge(part.modality, _training(joint, part, items, split.held, training), None)
            for part in joint.parts
        }

    random = np.random.default_rng(0)  # neighbors in the data may be of one class
    mixed, trained = random.permutation(unseen)[:MAX_SAMPLES], random.permutation(known[0])
    rows = torch.from_numpy(trained), torch.from_numpy(mixed)
    return JointJudge(joint, tensors, rows[0], rows[1], enough, judges, say, items.name)


def _training(joint: Joint, part: Part, items: Items, held_out: Rows, training: TrainingData) -> TrainingData:
    """The data of a part alone, with those held out whose items are. A row that many items share, such as a class, is
    there once for each of them.
    """
    whole = joint.joint_items(items)
    own, rows = whole.items.parts[part.name], whole.items.rows[part.name]
    outside = np.isin(whole.items.origins, held_out)
    if isinstance(part, RowPart):
        there = rows >= 0
        own = replace(own, items=own.items.iloc[rows[there]].reset_index(drop=True))
        held = outside[there]
    else:
        held = np.zeros(len(own), bool)
        held[rows[outside & (rows >= 0)]] = True
    alone = replace(own, labels=None, classes=(), held=held if held.any() else None)
    return TrainingData(f"{training.name} {part.name}s", training.source, len(alone), lambda: alone)
