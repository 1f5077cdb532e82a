"""`audit(run)` attacks a model as somebody would who wants to know what it was trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sparring.console import Screen
from sparring.data.tensors import CONDITION, VALUES, Tensors, move
from sparring.devices import resolve
from sparring.errors import InputError
from sparring.evaluation.evaluate import training_data
from sparring.evaluation.features import CLASSIFIER, Features, choose_features, default_features
from sparring.evaluation.real import read
from sparring.metrics import membership
from sparring.metrics.attributes import Attribute, Column, infer
from sparring.metrics.copies import memorization, nearest
from sparring.metrics.epsilon import lower_bound
from sparring.metrics.membership import Interval
from sparring.metrics.results import Finding, Number
from sparring.modalities import Samples
from sparring.model import Model, load, stored
from sparring.nets.discriminator import Discriminator
from sparring.nets.packed import logits, score
from sparring.privacy import Guarantee, promised

MAX_CANDIDATES, MIN_CANDIDATES = 2000, 20  # members that are attacked, and as many others
MAX_SAMPLES, MIN_SAMPLES = 10_000, 1000
BATCH_SIZE = 100
MIN_COLUMNS = 3  # of which values are guessed
CONFIDENCE = 0.95
ADVICE = (
    "train on more data or for fewer steps, with a narrower D or augmentation, and do not publish D; only differential "
    "privacy proves that nothing leaks"
)


@dataclass(frozen=True)
class Attack:
    """How well one attack recognizes training items.

    Attributes:
        name: of the attack, with the features that it uses in brackets.
        auc: 0.5 if it learns nothing, 1 if it recognizes all of them.
        tpr: share of training items that it recognizes while it takes 1% of the others for such.
        floor: AUC of the same attack on samples of a generator that has never seen these items: other real ones; None
            if the attack uses no samples. If it is not 0.5, training items differ from held-out ones by more than that
            they were trained on.
        ceiling: AUC of the same attack on copies of the training items; None if it uses no samples.
        chance: AUC that the attack may reach on a model that leaks nothing: 0.5, or the floor if that is higher.
        members, others: the scores, (n,) each.
    """

    name: str
    auc: Interval
    tpr: Interval
    floor: Interval | None
    ceiling: Interval | None
    chance: float
    members: Tensor
    others: Tensor

    @property
    def excess(self) -> float:
        """How far the AUC surely is above chance; negative if it is not."""
        return self.auc.low - self.chance

    def content(self) -> dict[str, Any]:
        """As JSON."""
        ends = {"floor": self.floor, "ceiling": self.ceiling}
        known = {name: asdict(value) for name, value in ends.items() if value is not None}
        return {"name": self.name, "auc": asdict(self.auc), "tpr_at_1_percent_fpr": asdict(self.tpr), **known}


@dataclass(frozen=True)
class _Scored:
    """Scores of members and others, (n,) each: of the model's samples, of the floor's and of the ceiling's."""

    name: str
    model: tuple[Tensor, Tensor]
    floor: tuple[Tensor, Tensor] | None = None
    ceiling: tuple[Tensor, Tensor] | None = None

    def judged(self, level: float) -> Attack:
        """With confidence intervals of a level."""
        floor, ceiling = (
            None if scores is None else membership.auc(*scores, level) for scores in (self.floor, self.ceiling)
        )
        biased = floor is not None and floor.excludes(0.5)
        return Attack(
            name=self.name,
            auc=membership.auc(*self.model, level),
            tpr=membership.true_positive_rate(*self.model, level),
            floor=floor,
            ceiling=ceiling,
            chance=max(0.5, floor.high) if biased and floor is not None else 0.5,
            members=self.model[0],
            others=self.model[1],
        )


@dataclass(frozen=True)
class Audit:
    """What attacks on a model found.

    Attributes:
        data: name of the training data.
        protocol: how the numbers were computed, in sentences.
        attacks: the strongest first.
        copies: metrics of copies of training items among samples, each for the samples and for held-out items.
        identity: SHA-256 of the weights of the model.
        attributes: how often single values of training items are guessed; () for kinds that have none.
        epsilon: below which any claim of (epsilon, 0)-differential privacy is refuted by the attacks, for neighbors of
            which one has another record in place of one; 0 if they refute none. None if the held-out items were not
            chosen at random, which the bound needs.
        promise: what the model promises about each record; None if it is not private.
    """

    data: str
    protocol: str
    attacks: tuple[Attack, ...]
    copies: tuple[tuple[Number, Number], ...]
    identity: str
    attributes: tuple[Attribute, ...] = ()
    epsilon: float | None = None
    promise: Guarantee | None = None

    @property
    def contradicted(self) -> bool:
        """True if what the attacks refute suggests that the promise of the model is broken. The promise is about the
        removal of a record, and the replacement of one is a removal and an addition. It is no proof: the bound is for
        delta = 0, and the promise for a replacement has (1 + e^epsilon) delta.
        """
        return self.promise is not None and (self.epsilon or 0.0) > 2 * self.promise.epsilon

    @property
    def worst(self) -> Attack:
        """The attack that surely recognizes most."""
        return self.attacks[0]

    @property
    def leaks(self) -> bool:
        """True if training items are recognized beyond chance by some attack, or values of them are guessed."""
        return self.worst.excess > 0 or self.exposed is not None

    @property
    def exposed(self) -> Attribute | None:
        """The value that is guessed of training items surely more often than of others, by the largest margin."""
        sure = [one for one in self.attributes if one.advantage.low > 0 and not self.biased]
        return sure[0] if sure else None

    @property
    def verdict(self) -> str:
        """What was found, in a sentence."""
        worst, exposed = self.worst, self.exposed
        if worst.excess > 0:
            return (
                f"training items can be recognized: {worst.name} has an AUC of {worst.auc.value:.2f} "
                f"({worst.auc.low:.2f} to {worst.auc.high:.2f}) and recognizes {worst.tpr.value:.1%} of them at 1% "
                "false positives"
            )
        if exposed is not None:
            return (
                f"values of training items can be inferred: {exposed.name} is guessed for {exposed.members:.1%} of "
                f"them and for {exposed.others:.1%} of other items"
            )
        found = f"none of {len(self.attacks)} attacks recognizes training items better than by chance"
        if not self.biased:
            return found
        return f"{found}, but they are weak here: held-out items differ from training items, such as by their time"

    @property
    def biased(self) -> bool:
        """True if held-out items differ from training items by more than that they were not trained on."""
        return any(attack.floor is not None and attack.floor.excludes(0.5) for attack in self.attacks)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The worst of it, for `sparring evaluate`."""
        if self.contradicted:
            return (
                Finding("the promise of privacy seems broken", self.verdict, "do not publish the model; report it"),
            )
        name = "membership can be inferred" if self.worst.excess > 0 else "attributes can be inferred"
        return (Finding(name, self.verdict, ADVICE),) if self.leaks else ()

    def content(self) -> dict[str, Any]:
        """As JSON."""
        copies = [{"name": n.name, "value": n.value, "held_out": held.value} for n, held in self.copies]
        return {
            "data": self.data,
            "identity": self.identity,
            "verdict": self.verdict,
            "findings": [asdict(finding) for finding in self.findings],
            "protocol": self.protocol,
            "attacks": [attack.content() for attack in self.attacks],
            "copies": copies,
            "attributes": [asdict(attribute) for attribute in self.attributes],
            "epsilon": self.epsilon,
            "promise": None if self.promise is None else self.promise.as_json(),
        }


def audit(
    model: str | Path | Model,
    samples: int | None = None,
    features: Sequence[str] = (),
    device: str = "auto",
    seed: int = 0,
    quiet: bool = True,
    trust: bool = False,
) -> Audit:
    """Attack a model: infer which items it was trained on, from its samples and from its D.

    The attacker is strong: they have the model, the candidates, and real items that it was not trained on.

    Args:
        model: a model, or the folder of a run. Its training data must be unchanged.
        samples: number of samples that attacks use; by default as many as there are training items, but at least 1,000
            and at most 10,000.
        features: names, as for `evaluate`.
        device: where samples and features are computed.
        seed: of the samples.
        quiet: print nothing.
        trust: as for `sparring.load`.

    Raises:
        InputError: if the training data are missing, have changed, or hold out too few items.
    """
    place, screen = resolve(device), Screen(quiet)
    with torch.random.fork_rng():
        trained = model if isinstance(model, Model) else load(model, str(place), trust)
        return _Auditor(trained, samples, features, place, screen, seed).run()


class _Auditor:
    """An attack's data: training items, as many held-out ones, and real items that are known not to be either."""

    def __init__(
        self,
        model: Model,
        samples: int | None,
        features: Sequence[str],
        device: torch.device,
        screen: Screen,
        seed: int,
    ) -> None:
        words = model.modality.words.trained
        if model.modality.source is not None:
            raise InputError(f"this model makes {words} of given ones; audits are for models that generate from noise")
        training = training_data(model)
        training.check_unchanged(model.modality.words.items)
        with screen.progress(f"reading {training.name}") as progress:
            self.real, _ = read(model.modality, training.items, progress)
        self.model, self.device, self.screen, self.seed = model, device, screen, seed
        self.random = model.modality.splits_at_random(training.items)
        train, held = (self._shuffled(rows) for rows in (self.real.data.train, self.real.data.held))
        n = min(len(held) // 2, len(train) // 2, MAX_CANDIDATES)
        if n < MIN_CANDIDATES:
            raise InputError(
                f"{training.source} holds out {len(held)} {words}, and an audit needs {2 * MIN_CANDIDATES} of them; "
                "train on more data"
            )
        self.members, self.rest, self.others, self.reference = train[:n], train[n:], held[:n], held[n:]
        self.count = samples or min(MAX_SAMPLES, max(MIN_SAMPLES, len(train)))
        if not MIN_CANDIDATES <= self.count <= MAX_SAMPLES:
            raise InputError(f"{self.count:,} samples were asked for; give {MIN_CANDIDATES} to {MAX_SAMPLES:,}")
        self.features = self._features(features)

    def _features(self, names: Sequence[str]) -> list[Features]:
        """Features that were given, or those that need no training on the items that are attacked."""
        names = names or [name for name in default_features(self.real) if name != CLASSIFIER]
        with self.screen.progress("preparing features") as progress:
            return choose_features(names, self.real, len(self.others), progress)[0]

    @staticmethod
    def _shuffled(rows: Tensor) -> Tensor:
        return rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))]

    def run(self) -> Audit:
        generated: dict[str, list[Tensor]] = {f.name: [] for f in self.features}
        decoded: list[Any] = []
        with self.screen.progress(f"drawing {self.count:,} samples") as progress:
            done = 0
            for batch, _ in self.model.stream(self.count, seed=self.seed):
                for f in self.features:
                    generated[f.name].append(self._computed(f, self._as_written(batch)))
                decoded.append(self.model.modality.decode(batch, done))
                progress(done := done + len(batch[VALUES]), self.count)
        scored, copies = [], []
        for f in self.features:
            found, copied = self._with_samples(f, torch.cat(generated[f.name]))
            scored += found
            copies.append(copied)
        attacks = self._judged([*scored, *self._with_discriminator()])
        attributes = self._attributes(self.model.modality.concatenate(decoded))
        level = 1 - (1 - CONFIDENCE) / len(attacks)
        protocol = self._protocol(len(attacks), len(attributes))
        identity = stored.identity(self.model.game.state_dict())
        promise = promised(self.model.about)
        result = Audit(self.real.name, protocol, tuple(attacks), tuple(copies), identity, attributes, promise=promise)
        if result.biased or not self.random:
            return result
        epsilon = max(lower_bound(attack.members, attack.others, level) for attack in attacks)
        return replace(result, epsilon=epsilon)

    def _judged(self, scored: Sequence[_Scored]) -> list[Attack]:
        """The attacks, the strongest first, with intervals that hold together."""
        attacks = [each.judged(1 - (1 - CONFIDENCE) / len(scored)) for each in scored]
        if any(attack.floor is not None and attack.floor.excludes(0.5) for attack in attacks):
            # What D tells from the difference between training and held-out items has no floor.
            attacks = [replace(attack, chance=1.0) if attack.floor is None else attack for attack in attacks]
        return sorted(attacks, key=lambda attack: -attack.excess)

    # Attacks.

    def _with_samples(self, f: Features, samples: Tensor) -> tuple[list[_Scored], tuple[Number, Number]]:
        """Attacks that compare candidates with samples, and how many samples are copies."""
        self.screen.say(f"attacking with features {f.name}")
        members, others, reference = (self._real(f, rows) for rows in (self.members, self.others, self.reference))
        unseen = self._real(f, self.rest[: len(samples)])
        copier = torch.cat([members, unseen])[: len(samples)]
        attacks: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
            "gan_leaks": lambda x, s: membership.gan_leaks(x, s),
            "gan_leaks_calibrated": lambda x, s: membership.gan_leaks(x, s, reference),
            "domias": lambda x, s: membership.domias(x, s, reference),
        }
        scored = [
            _Scored(f"{name}[{f.name}]", *((attack(members, s), attack(others, s)) for s in (samples, unseen, copier)))
            for name, attack in attacks.items()
        ]
        trained = torch.cat([members, unseen])
        of_held = nearest(torch.cat([others, reference]), trained)[0]
        copied = memorization(nearest(samples, trained)[0], of_held)
        name = f"memorization[{f.name}]"
        return scored, (Number(name, copied, "real"), Number(name, 0.5, "real"))

    def _with_discriminator(self) -> Iterator[_Scored]:
        """The attacker has D, which was trained to tell real items from others. Hayes et al. 2019, arXiv:1705.07663."""
        conditional, D = self.model.game.conditional, self.model.game.discriminator()
        if D is not None and (not conditional or CONDITION in self.real.data.tensors):
            yield _Scored("logan", (self._logits(D, self.members), self._logits(D, self.others)))

    @torch.no_grad()
    def _logits(self, D: Discriminator, rows: Tensor) -> Tensor:
        found = []
        for part in torch.split(rows, BATCH_SIZE):
            batch = move(self.real.modality.batch(self.real.data.items(part)), self.device)
            condition = batch[CONDITION] if self.model.game.conditional else None
            found.append(score(logits(D, batch[VALUES], condition)).cpu())
        return torch.cat(found)

    def _attributes(self, samples: Any) -> tuple[Attribute, ...]:
        """Guesses of single values, for kinds whose items are rows of at least MIN_COLUMNS columns."""
        modality = self.model.modality
        frames: list[Any] = [modality.as_frame(Samples(samples, None, modality))]
        if frames[0] is None or len(frames[0]) != len(samples) or frames[0].shape[1] < MIN_COLUMNS:
            return ()
        self.screen.say("guessing values")
        for rows in (self.members, self.others):
            parts = [modality.decode(batch) for batch, _ in self.real.batches(rows)]
            frames.append(modality.as_frame(Samples(modality.concatenate(parts), None, modality)))
        columns = [Column(str(name), *(_values(frame[name]) for frame in frames)) for name in frames[0]]
        telling = [column for column in columns if column.numeric or len(set(column.members)) < len(column.members)]
        return tuple(infer(telling, CONFIDENCE)) if telling else ()

    # Features.

    def _real(self, f: Features, rows: Tensor) -> Tensor:
        return torch.cat([self._computed(f, batch) for batch, _ in self.real.batches(rows)])

    @torch.no_grad()
    def _computed(self, f: Features, batch: Tensors) -> Tensor:
        return f.compute(move(batch, self.device)).float().cpu()

    def _as_written(self, batch: Tensors) -> Tensors:
        """Samples with values as a file would hold them."""
        modality = self.real.modality
        return {**batch, VALUES: modality.scale(modality.unscale(batch[VALUES]))}

    def _protocol(self, attacks: int, attributes: int) -> str:
        words = self.model.modality.words.trained
        guessed = (
            f"; each of {attributes} values is guessed as that of the sample that is nearest in all others, and "
            "numbers count as guessed within 5%"
        )
        return (
            f"{len(self.members):,} training {words} of {self.real.name} and {len(self.others):,} held-out ones are "
            f"candidates; attacks use {self.count:,} samples and {len(self.reference):,} other held-out {words}; "
            f"floor: the same attack if the samples are {min(self.count, len(self.rest)):,} other training {words}, as "
            "those of a perfect generator that has never seen the candidates; ceiling: if they are copies of the "
            f"training {words}; intervals hold with {CONFIDENCE:.0%} for all {attacks} attacks together"
            f"{guessed if attributes else ''}"
        )


def _values(column: Any) -> Any:
    """A column of a data frame as numbers, or as texts."""
    from pandas.api.types import is_numeric_dtype

    numbers = is_numeric_dtype(column)
    return column.to_numpy(float, na_value=float("nan")) if numbers else column.astype(str).to_numpy(object)
