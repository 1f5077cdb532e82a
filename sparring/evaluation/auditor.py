"""Attacks on a target, and what they find together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from sparring.console import Screen
from sparring.data.tensors import VALUES, Tensors, move
from sparring.evaluation.audit_results import Attack, Audit, Scored
from sparring.evaluation.audit_targets import MAX_CANDIDATES, Pool, Target
from sparring.evaluation.features import CLASSIFIER, Features, choose_features, default_features
from sparring.metrics import membership
from sparring.metrics.attributes import Attribute, Column, infer
from sparring.metrics.copies import memorization, nearest
from sparring.metrics.epsilon import lower_bound
from sparring.metrics.results import Number
from sparring.modalities import Samples

MIN_COLUMNS = 3  # of which values are guessed
CONFIDENCE = 0.95
ROUNDING = 1e-5  # of equal features, relative


class Auditor:
    """The attacks.

    Args:
        target: what is attacked.
        features: names, as for `evaluate`; none for those that need no training on the items that are attacked.
        device: where features are computed.
        screen: shows messages and progress.
    """

    def __init__(self, target: Target, features: Sequence[str], device: torch.device, screen: Screen) -> None:
        self.target, self.device, self.screen = target, device, screen
        trained, unseen = target.trained, target.unseen
        n = min(len(unseen) // 2, len(trained) // 2, MAX_CANDIDATES)
        self.members, self.rest, self.others, self.reference = trained[:n], trained[n:], unseen[:n], unseen[n:]
        self.repeated = 1.0  # share of the held-out items that are training items, too, by each feature
        names = features or [name for name in default_features(trained.real) if name != CLASSIFIER]
        with screen.progress("preparing features") as progress:
            self.features = choose_features(names, trained.real, n, progress)[0]

    def run(self) -> Audit:
        target, generated, decoded = self.target, dict[str, list[Tensor]](), list[Any]()
        with self.screen.progress(f"drawing {target.count:,} samples") as progress:
            done = 0
            for batch, items in target.samples():
                for f in self.features:
                    generated.setdefault(f.name, []).append(self._computed(f, self._as_written(batch)))
                decoded.append(items)
                progress(done := done + len(batch[VALUES]), target.count)
        scored, copies = [], []
        for f in self.features:
            found, copied = self._with_samples(f, torch.cat(generated[f.name]))
            scored += found
            copies.append(copied)
        attacks = self._judged([*scored, *self._with_discriminator()])
        attributes = self._attributes(target.modality.concatenate(decoded))
        protocol = self._protocol(len(attacks), len(attributes))
        name = target.trained.real.name
        result = Audit(
            name, protocol, tuple(attacks), tuple(copies), target.identity, attributes, None, target.promise,
            self.repeated,
        )  # fmt: skip
        if result.biased or not target.random:
            return result
        level = 1 - (1 - CONFIDENCE) / len(attacks)
        return replace(result, epsilon=max(lower_bound(one.members, one.others, level) for one in attacks))

    def _judged(self, scored: Sequence[Scored]) -> list[Attack]:
        """The attacks, the strongest first, with intervals that hold together."""
        attacks = [each.judged(1 - (1 - CONFIDENCE) / len(scored)) for each in scored]
        if any(attack.floor is not None and attack.floor.excludes(0.5) for attack in attacks):
            # What D tells from the difference between training and held-out items has no floor.
            attacks = [replace(attack, chance=1.0) if attack.floor is None else attack for attack in attacks]
        return sorted(attacks, key=lambda attack: -attack.excess)

    # Attacks.

    def _with_samples(self, f: Features, samples: Tensor) -> tuple[list[Scored], tuple[Number, Number]]:
        """Attacks that compare candidates with samples, and how many samples are copies."""
        self.screen.say(f"attacking with features {f.name}")
        members, others, reference = (self._real(f, pool) for pool in (self.members, self.others, self.reference))
        unseen = self._real(f, self.rest[: len(samples)])
        copier = torch.cat([members, unseen])[: len(samples)]
        attacks: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
            "gan_leaks": lambda x, s: membership.gan_leaks(x, s),
            "gan_leaks_calibrated": lambda x, s: membership.gan_leaks(x, s, reference),
            "domias": lambda x, s: membership.domias(x, s, reference),
        }
        scored = [
            Scored(f"{name}[{f.name}]", *((attack(members, s), attack(others, s)) for s in (samples, unseen, copier)))
            for name, attack in attacks.items()
        ]
        trained = torch.cat([members, unseen])
        held = torch.cat([others, reference])
        of_held, index = nearest(held, trained)
        self.repeated = min(self.repeated, _share_of_equal(held, trained[index]))
        copied = memorization(nearest(samples, trained)[0], of_held)
        name = f"memorization[{f.name}]"
        return scored, (Number(name, copied, "real"), Number(name, 0.5, "real"))

    def _with_discriminator(self) -> Iterator[Scored]:
        """The attacker has D, which was trained to tell real items from others. Hayes et al. 2019, arXiv:1705.07663."""
        if (said := self.target.scores(self.members, self.others)) is not None:
            members, others = said
            yield Scored("logan", (members, others))

    def _attributes(self, samples: Any) -> tuple[Attribute, ...]:
        """Guesses of single values, for kinds whose items are rows of at least MIN_COLUMNS columns."""
        modality = self.target.modality
        frames: list[Any] = [modality.as_frame(Samples(samples, None, modality))]
        if frames[0] is None or len(frames[0]) != len(samples) or frames[0].shape[1] < MIN_COLUMNS:
            return ()
        self.screen.say("guessing values")
        for pool in (self.members, self.others):
            parts = [modality.decode(batch) for batch in pool.batches()]
            frames.append(modality.as_frame(Samples(modality.concatenate(parts), None, modality)))
        columns = [Column(str(name), *(_values(frame[name]) for frame in frames)) for name in frames[0]]
        telling = [column for column in columns if column.numeric or len(set(column.members)) < len(column.members)]
        return tuple(infer(telling, CONFIDENCE)) if telling else ()

    # Features.

    def _real(self, f: Features, pool: Pool) -> Tensor:
        return torch.cat([self._computed(f, batch) for batch in pool.batches()])

    @torch.no_grad()
    def _computed(self, f: Features, batch: Tensors) -> Tensor:
        return f.compute(move(batch, self.device)).float().cpu()

    def _as_written(self, batch: Tensors) -> Tensors:
        """Samples with values as a file would hold them."""
        modality = self.target.trained.real.modality
        return {**batch, VALUES: modality.scale(modality.unscale(batch[VALUES]))}

    def _protocol(self, attacks: int, attributes: int) -> str:
        words, name, count = self.target.modality.words.trained, self.target.trained.real.name, self.target.count
        guessed = (
            f"; each of {attributes} values is guessed as that of the sample that is nearest in all others, and "
            "numbers count as guessed within 5%"
        )
        return (
            f"{len(self.members):,} training {words} of {name} and {len(self.others):,} held-out ones are "
            f"candidates; attacks use {count:,} samples and {len(self.reference):,} other held-out {words}; "
            f"floor: the same attack if the samples are {min(count, len(self.rest)):,} other training "
            f"{words}, as those of a perfect generator that has never seen the candidates; ceiling: if they are copies "
            f"of the training {words}; intervals hold with {CONFIDENCE:.0%} for all {attacks} attacks together"
            f"{guessed if attributes else ''}"
        )


def _share_of_equal(x: Tensor, y: Tensor) -> float:
    """Share of rows that are equal but for rounding, of (n, d) and (n, d)."""
    differences, sizes = (x - y).flatten(1).norm(dim=1), x.flatten(1).norm(dim=1)
    return float((differences <= ROUNDING * sizes).float().mean())


def _values(column: Any) -> Any:
    """A column of a data frame as numbers, or as texts."""
    from pandas.api.types import is_numeric_dtype

    numbers = is_numeric_dtype(column)
    return column.to_numpy(float, na_value=float("nan")) if numbers else column.astype(str).to_numpy(object)
