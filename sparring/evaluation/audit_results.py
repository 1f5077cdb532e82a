"""What an audit finds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor

from sparring.metrics import membership
from sparring.metrics.attributes import Attribute
from sparring.metrics.membership import Interval
from sparring.metrics.results import Finding, Number
from sparring.privacy import Guarantee

PROOF = "only differential privacy proves that nothing leaks"
ADVICE = f"train on more data or for fewer steps, with a narrower D or augmentation, and do not publish D; {PROOF}"
MANY_REPEATED = 0.1  # of the held-out items that are training items, too
OF_FILES = f"do not publish these samples; generate others by a model that has learned fewer details; {PROOF}"


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
class Scored:
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
        identity: SHA-256 of the weights of the model; "" if a file of samples was attacked.
        attributes: how often single values of training items are guessed; () for kinds that have none.
        epsilon: below which any claim of (epsilon, 0)-differential privacy is refuted by the attacks, for neighbors of
            which one has another record in place of one; 0 if they refute none. None if the held-out items were not
            chosen at random, which the bound needs.
        promise: what the model promises about each record; None if it is not private.
        repeated: share of the held-out items that are training items, too.
    """

    data: str
    protocol: str
    attacks: tuple[Attack, ...]
    copies: tuple[tuple[Number, Number], ...]
    identity: str
    attributes: tuple[Attribute, ...] = ()
    epsilon: float | None = None
    promise: Guarantee | None = None
    repeated: float = 0.0

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
        if self.repeated > MANY_REPEATED:
            return f"{found}, but they are weak here: {self.repeated:.0%} of held-out items are training items, too"
        if self.biased:
            return f"{found}, but they are weak here: held-out items differ from training items, such as by their time"
        return found

    @property
    def weak(self) -> bool:
        """True if attacks recognize fewer training items than they would with other held-out items."""
        return self.biased or self.repeated > MANY_REPEATED

    @property
    def biased(self) -> bool:
        """True if held-out items differ from training items by more than that they were not trained on."""
        return any(attack.floor is not None and attack.floor.excludes(0.5) for attack in self.attacks)

    @property
    def advice(self) -> str:
        """How to reveal less."""
        return ADVICE if self.identity else OF_FILES

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The worst of it, for `sparring evaluate`."""
        if self.contradicted:
            return (
                Finding("the promise of privacy seems broken", self.verdict, "do not publish the model; report it"),
            )
        name = "membership can be inferred" if self.worst.excess > 0 else "attributes can be inferred"
        return (Finding(name, self.verdict, self.advice),) if self.leaks else ()

    def content(self) -> dict[str, Any]:
        """As JSON."""
        copies = [{"name": n.name, "value": n.value, "held_out": held.value} for n, held in self.copies]
        return {
            "data": self.data,
            "identity": self.identity,
            "verdict": self.verdict,
            "findings": [asdict(finding) for finding in self.findings],
            "protocol": self.protocol,
            "held_out_repeated": self.repeated,
            "attacks": [attack.content() for attack in self.attacks],
            "copies": copies,
            "attributes": [asdict(attribute) for attribute in self.attributes],
            "epsilon": self.epsilon,
            "promise": None if self.promise is None else self.promise.as_json(),
        }
