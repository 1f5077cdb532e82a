"""What can go wrong in an adversarial training, noticed while it runs, under its right name."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping

from sparring.metrics.results import Finding

WINDOW = 200  # steps over which something must hold to be a trouble
GRACE = 100  # steps before the first window
LOST = 0.02  # D's loss below which it has nothing left to learn, where it is so accurate:
SURE = 0.99
APART = 30.0  # logits between real and generated samples that leave G nothing to learn from, where D is so accurate:
OFTEN = 0.9
VANISHED = 1e-5  # G's gradient by its weights, where G has something left to learn: D tells more than
EVEN = 0.6  # of pairs apart
COLLAPSED = 0.25  # of the data's diversity
GROWING = 1.05  # times the diversity before, at which it is on its way
KNOWN = 1.0  # how far D has gone from held-out items being real to their being generated
STALE = 8  # scores since the best
WORSE = 1.5  # times the best that the later ones are, on the mean

NOT_FINITE = "not finite"
TROUBLES = (NOT_FINITE, "D has won", "vanishing gradients", "mode collapse", "D memorises", "no progress")


def not_finite(name: str, value: float) -> Finding:
    """A loss that is no number any more."""
    return Finding(NOT_FINITE, f"{name} is {value:g}", "lower lr, choose another loss, or train with --precision fp32")


class Health:
    """Watches the numbers of a run, and names each trouble once.

    Args:
        named: those that have been named before.

    Attributes:
        present: the names of those that hold now.
    """

    def __init__(self, named: Iterable[str] = ()) -> None:
        self.named = list(named)
        self.present: frozenset[str] = frozenset()
        self._window: deque[tuple[int, Mapping[str, float]]] = deque()
        self._diversity: deque[float] = deque(maxlen=2)
        self._scores: list[float] = []

    def note(self, step: int, numbers: Mapping[str, float]) -> list[Finding]:
        """Take note of the means since the last call, and say what has newly gone wrong.

        Args:
            step: that they end with.
            numbers: as in the log: losses by player/term, D_real, D_fake, D_held, D_accuracy,
                gradient_G by its weights, diversity, fid; those that there are.
        """
        self._window.append((step, numbers))
        while len(self._window) > 1 and self._window[1][0] <= step - WINDOW:
            self._window.popleft()
        if "diversity" in numbers:
            self._diversity.append(numbers["diversity"])
        if "fid" in numbers:
            self._scores.append(numbers["fid"])
        if step < GRACE + WINDOW or step - self._window[0][0] < WINDOW:
            return []
        found = [self._won(), self._vanished(), self._collapsed(), self._memorised(), self._oscillating()]
        holding = [trouble for trouble in found if trouble is not None]
        self.present = frozenset(trouble.name for trouble in holding)
        fresh = [trouble for trouble in holding if trouble.name not in self.named]
        self.named += [trouble.name for trouble in fresh]
        return fresh

    def _all(self, name: str) -> list[float]:
        return [numbers[name] for _, numbers in self._window if name in numbers]

    def _mean(self, name: str) -> float:
        values = self._all(name)
        return sum(values) / len(values) if values else math.nan

    def _won(self) -> Finding | None:
        losses, accuracy = self._all("D/adversarial"), self._all("D_accuracy")
        if not losses or not accuracy or min(losses) < 0:  # a critic's loss has no zero to come near
            return None
        margin = self._mean("D_real") - self._mean("D_fake")
        done = min(accuracy) >= SURE and max(losses) < LOST
        if not done and not (margin > APART and self._mean("D_accuracy") > OFTEN):
            return None
        return Finding(
            "D has won",
            f"it tells {self._mean('D_accuracy'):.0%} of pairs apart, by {margin:.0f} logits on the mean",
            "lower lr, add noise=0.1, or regularise D more (gamma)",
        )

    def _vanished(self) -> Finding | None:
        gradients = self._all("gradient_G")
        if not gradients or max(gradients) >= VANISHED or self._mean("D_accuracy") <= EVEN:
            return None
        return Finding(
            "vanishing gradients",
            f"G's gradient is {max(gradients):.1g} of its weights",
            "train with loss=non_saturating or a relativistic recipe, or regularise D more (gamma)",
        )

    def _collapsed(self) -> Finding | None:
        if len(self._diversity) < 2 or max(self._diversity) >= COLLAPSED:
            return None
        before, now = self._diversity
        if now > GROWING * before:  # G has only just begun
            return None
        return Finding(
            "mode collapse",
            f"samples have {max(self._diversity):.0%} of the data's diversity",
            "use a larger batch, a recipe with R1 and R2 (r3gan), or labels",
        )

    def _memorised(self) -> Finding | None:
        real, held, fake = (self._mean(f"D_{name}") for name in ("real", "held", "fake"))
        if not real > fake or self._mean("D_accuracy") < 0.75 or not (real - held) > KNOWN * (real - fake):
            return None
        return Finding(
            "D memorises",
            f"it takes items that it has not seen for generated: {real:.1f} real, {held:.1f} held out, {fake:.1f} fake",
            "train with augment=ada, flip=true or crop=0.1, a narrower net, more data, or fewer steps",
        )

    def _oscillating(self) -> Finding | None:
        scores = self._scores
        best = scores.index(min(scores)) if scores else 0
        later = scores[best + 1 :]
        if len(later) < STALE or sum(later[-STALE:]) / STALE < WORSE * scores[best]:
            return None
        return Finding(
            "no progress",
            f"the score was best {len(later)} looks ago and has since gone up and down",
            "lower lr, or stop with until=plateau and take what is there",
        )
