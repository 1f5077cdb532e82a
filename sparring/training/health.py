"""Problems of adversarial training, detected and named while a run trains."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from sparring.metrics.advice import untried
from sparring.metrics.results import Finding

WINDOW = 200  # steps for which a problem must persist
GRACE = 100  # steps before the first window
# D has won if its loss is below 0.02 at an accuracy of 99%, or if its logits on real and generated samples differ by 30
# at an accuracy of 90%: then G has nothing left to learn from.
WON_LOSS = 0.02
WON_ACCURACY = 0.99
WON_MARGIN = 30.0
WON_MARGIN_ACCURACY = 0.9
# Gradients vanish if G's gradient norm / weight norm is below 1e-5 while D is right in more than 60% of pairs.
MIN_GRADIENT = 1e-5
MIN_ACCURACY = 0.6
MIN_DIVERSITY = 0.25  # relative to the data's
GROWTH = 1.05  # ratio to the previous diversity above which diversity is still growing
# D memorizes if its mean logit on held-out items is as low as on generated ones, at an accuracy of 75%.
MEMORIZED = 1.0
MEMORIZED_ACCURACY = 0.75
STALE_SCORES = 8  # scores since the best one
WORSE = 1.5  # ratio of their mean to the best one

NOT_FINITE = "not finite"
PROBLEMS = (NOT_FINITE, "D has won", "vanishing gradients", "mode collapse", "D memorizes", "no progress")


def not_finite(name: str, value: float) -> Finding:
    """A loss that is not finite."""
    return Finding(NOT_FINITE, f"{name} is {value:g}", "lower lr, choose another loss, or train with --precision fp32")


class Health:
    """Watches the metrics of a run, and reports each problem once.

    Args:
        named: problems that have been reported before.
        fields: names and values of the recipe's fields: only those are advised, with other values.

    Attributes:
        present: names of the current problems.
    """

    def __init__(self, named: Iterable[str] = (), fields: Mapping[str, object] | None = None) -> None:
        self.named, self._fields = list(named), {} if fields is None else fields
        self.present: frozenset[str] = frozenset()
        self._window: deque[tuple[int, Mapping[str, float]]] = deque()
        self._diversity: deque[float] = deque(maxlen=2)
        self._scores: list[float] = []

    def note(self, step: int, numbers: Mapping[str, float]) -> list[Finding]:
        """Record the means since the last call. Returns the problems that are new.

        Args:
            step: the last step of the means.
            numbers: as in the log, as far as they were measured: losses by player/term, D_real, D_fake, D_held,
                D_accuracy, gradient_G (gradient norm / weight norm), diversity, fid.
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
        checks = [self._won(), self._vanished(), self._collapsed(), self._memorized(), self._oscillating()]
        problems = [problem for problem in checks if problem is not None]
        self.present = frozenset(problem.name for problem in problems)
        new = [problem for problem in problems if problem.name not in self.named]
        self.named += [problem.name for problem in new]
        return new

    def _all(self, name: str) -> list[float]:
        return [numbers[name] for _, numbers in self._window if name in numbers]

    def _mean(self, name: str) -> float:
        values = self._all(name)
        return sum(values) / len(values) if values else math.nan

    def _won(self) -> Finding | None:
        losses, accuracy = self._all("D/adversarial"), self._all("D_accuracy")
        if not losses or not accuracy or min(losses) < 0:  # a critic's loss may be negative
            return None
        margin = self._mean("D_real") - self._mean("D_fake")
        sure = min(accuracy) >= WON_ACCURACY and max(losses) < WON_LOSS
        if not sure and not (margin > WON_MARGIN and self._mean("D_accuracy") > WON_MARGIN_ACCURACY):
            return None
        return Finding(
            "D has won",
            f"it is right in {self._mean('D_accuracy'):.0%} of pairs, by {margin:.0f} logits on average",
            "lower lr, add noise=0.1, or regularize D more (gamma)",
        )

    def _vanished(self) -> Finding | None:
        gradients = self._all("gradient_G")
        if not gradients or max(gradients) >= MIN_GRADIENT or self._mean("D_accuracy") <= MIN_ACCURACY:
            return None
        return Finding(
            "vanishing gradients",
            f"gradient norm / weight norm of G is {max(gradients):.1g}",
            self._advice(("loss=non_saturating",), "a relativistic recipe (r3gan)", "more regularization of D (gamma)"),
        )

    def _collapsed(self) -> Finding | None:
        if len(self._diversity) < 2 or max(self._diversity) >= MIN_DIVERSITY:
            return None
        before, now = self._diversity
        if now > GROWTH * before:  # training has only begun
            return None
        return Finding(
            "mode collapse",
            f"samples have {max(self._diversity):.0%} of the data's diversity",
            self._advice(("labels=true",), "a larger batch", "a recipe with R1 and R2 (r3gan)"),
        )

    def _memorized(self) -> Finding | None:
        real, held, fake = (self._mean(f"D_{name}") for name in ("real", "held", "fake"))
        if (
            not real > fake
            or self._mean("D_accuracy") < MEMORIZED_ACCURACY
            or not real - held > MEMORIZED * (real - fake)
        ):
            return None
        return Finding(
            "D memorizes",
            f"it classifies held-out items as generated: logits {real:.1f} real, {held:.1f} held out, {fake:.1f} fake",
            self._advice(("augment=ada", "flip=true", "crop=0.1"), "a narrower net", "more data", "fewer steps"),
        )

    def _oscillating(self) -> Finding | None:
        scores = self._scores
        best = scores.index(min(scores)) if scores else 0
        later = scores[best + 1 :]
        if len(later) < STALE_SCORES or sum(later[-STALE_SCORES:]) / STALE_SCORES < WORSE * scores[best]:
            return None
        return Finding(
            "no progress",
            f"the best score was {len(later)} scores ago, and it has varied since",
            "lower lr, or stop with --until plateau and use the best model",
        )

    def _advice(self, settings: Sequence[str], *others: str) -> str:
        """What to train with: settings that the recipe has and that are not set yet, then other means."""
        *first, last = [*untried(settings, self._fields), *others]
        return (
            f"train with {', '.join(first)}, or {last}"
            if len(first) > 1
            else f"train with {' or '.join([*first, last])}"
        )
