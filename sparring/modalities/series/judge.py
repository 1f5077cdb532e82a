"""Paths of a series held against what came after those that were trained on, with what history itself gets and what two
cheats get.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from math import isnan, nan

import numpy as np

from sparring.metrics import sequences
from sparring.metrics.results import Finding, Number
from sparring.metrics.sequences import Floats
from sparring.modalities import Series

Say = Callable[[str], None]
LAGS = (1, 5, 20, 100)  # of returns whose distributions are compared
CURVE = 100  # lags of a curve, at most
LEVELS = (0.01, 0.05)  # of value at risk
WINDOW = 24  # steps that are told apart, and looked for in the training data
WINDOWS = 2000  # of each kind, at most
PARTS = 10  # of the time, by turns learnt from and told
BLOCK = 20  # steps of the bootstrap's blocks, on the mean
NEAR = 0.01  # share of unseen windows that count as near-copies
FEWEST = 2 * WINDOW + 1
CAUGHT = 0.3  # from which on paths are easily told from real ones
CALM = 0.5  # of the real curve's size, below which great moves do not come together
COPIED = 0.1  # of windows beyond twice the real share


class SeriesJudge:
    """Holds paths against a series that came later than the one that was trained on.

    Args:
        modality: fitted to the data.
        train, held: values in the user's units (steps, channels), that a model has seen, and that it has not.
        say: is told what is being done.

    Attributes:
        length: steps of the paths that are judged; as many as the unseen ones.
    """

    def __init__(self, modality: Series, train: Floats, held: Floats, say: Say = lambda _: None) -> None:
        self.modality, self.say = modality, say
        self.train, self.held = (modality.walks(values)[None] for values in (train, held))
        self.length = self.held.shape[1]
        self._standard = modality.standard(train)
        self._values = train

    @property
    def n(self) -> int:
        """Paths that are judged."""
        return max(20, -(-50_000 // int(self.length)))

    def walks(self, paths: Floats) -> Floats:
        """Paths in the user's units, as they are compared."""
        return self.modality.walks(paths)

    @cached_property
    def floor(self) -> list[Number]:
        """What the training data themselves get, in pieces as long as the unseen ones."""
        self.say("judging history")
        length = min(self.length, self.train.shape[1])
        count = self.train.shape[1] // length
        pieces = self.train[0, self.train.shape[1] - count * length :].reshape(count, length, -1)
        unseen = np.quantile(self._near_unseen, NEAR) if len(self._near_unseen) else nan
        return [
            Number(n.name, float((self._near_unseen < unseen).mean()), n.best, share=n.share)
            if n.name == "near-copies"
            else n
            for n in self.numbers(pieces)
        ]

    @cached_property
    def baselines(self) -> dict[str, list[Number]]:
        """What is no generator gets: steps of the training data in any order, and blocks of them, of random lengths
        (the stationary bootstrap, Politis and Romano 1994, doi:10.1080/01621459.1994.10476870).
        """
        self.say("judging what is no generator")
        random = np.random.default_rng(0)
        return {
            name: self.numbers(self.walks(self.resampled(block, random)))
            for name, block in (("shuffled", 1), ("bootstrap", BLOCK))
        }

    def resampled(self, block: int, random: np.random.Generator) -> Floats:
        """Paths in the user's units, of steps of the training data in blocks of so many on the mean."""
        total = len(self._standard)
        new = random.random((self.n, self.length)) < 1 / block
        new[:, 0] = True
        begins = random.integers(total, size=new.shape)
        place = np.where(new, np.arange(self.length), 0)
        last = np.maximum.accumulate(place, axis=1)  # where the present block began
        rows = (np.take_along_axis(begins, last, 1) + np.arange(self.length) - last) % total
        return self.modality.restored(self._standard[rows])

    @cached_property
    def _near_unseen(self) -> Floats:
        return self._nearest(sequences.returns(self.held))

    def _nearest(self, returns: Floats) -> Floats:
        """Of windows of returns, how far the nearest of the training data is."""
        seen = sequences.returns(self.train)
        scale = np.maximum(1e-12, seen.std((0, 1)))  # so that no channel's unit decides
        return sequences.nearest(_windows(returns / scale, WINDOWS), _windows(seen / scale, None))

    def numbers(self, made: Floats) -> list[Number]:
        """All numbers of walks (paths, steps, channels)."""
        real, x = sequences.returns(self.held), sequences.returns(made)
        lags = max(1, min(CURVE, real.shape[1] // 4, x.shape[1] // 4))
        curves: dict[str, Callable[[Floats], Floats]] = {
            "autocorrelation": lambda r: sequences.autocorrelation(r, lags),
            "of sizes": lambda r: sequences.autocorrelation(np.abs(r), lags),
            "leverage": lambda r: sequences.leverage(r, lags),
        }
        near = float((self._nearest(x) < np.quantile(self._near_unseen, NEAR)).mean())
        several = x.shape[2] > 1
        return [
            *(Number(f"earth mover[{lag}]", sequences.earth_mover(self.held, made, lag), "low") for lag in LAGS),
            *(Number(name, sequences.apart(curve(real), curve(x)), "low") for name, curve in curves.items()),
            Number("kurtosis", sequences.kurtosis(x), "real"),
            *(
                Number(f"below VaR {level:.0%}", sequences.coverage(real, x, level), "real", share=True)
                for level in LEVELS
            ),
            *(
                [Number("correlations", sequences.apart(sequences.together(real), sequences.together(x)), "low")]
                if several
                else []
            ),
            Number("told apart", self._told(real, x), "low"),
            Number("near-copies", near, "real", share=True),
        ]

    def _told(self, real: Floats, made: Floats) -> float:
        """By turns, parts of the time are learnt from and told."""
        parts = np.array_split(real, PARTS, axis=1)
        if min(part.shape[1] for part in parts) < WINDOW:
            parts = np.array_split(real, 2, axis=1)
        a, b = (np.concatenate([_windows(p, None) for p in parts[i::2]]) for i in (0, 1))
        if len(made) == 1:
            one, other = np.array_split(made, 2, axis=1)
        else:
            one, other = made[: len(made) // 2], made[len(made) // 2 :]
        return sequences.told_apart((a, b), (_windows(one, len(a)), _windows(other, len(b), seed=1)))

    def findings(self, made: Floats, numbers: list[Number]) -> list[Finding]:
        """What is wrong with walks; nothing where nothing stands out."""
        value = {n.name: n.value for n in numbers}
        floor = {n.name: n.value for n in self.floor}
        found = []
        if value["told apart"] > max(CAUGHT, 1.5 * floor["told apart"]):
            right, history = (0.5 + known["told apart"] for known in (value, floor))
            seen = f"a classifier is right in {right:.0%}, where history gets {history:.0%}"
            found.append(Finding("easily told from real paths", seen, "train longer"))
        real, sizes = (sequences.autocorrelation(np.abs(sequences.returns(w)), 20).mean() for w in (self.train, made))
        if real > 0.05 and sizes < CALM * real:
            seen = f"the sizes of moves go together by {sizes:.2f}, in history by {real:.2f}"
            found.append(Finding("great moves do not come together", seen, "train longer"))
        tails = sequences.kurtosis(sequences.returns(self.train))
        if tails > 1 and value["kurtosis"] < 0.25 * tails:
            seen = f"kurtosis {value['kurtosis']:.1f}, in history {tails:.1f}"
            found.append(Finding("tails are light", seen, "train longer"))
        if not isnan(value["near-copies"]) and value["near-copies"] > COPIED + 2 * floor["near-copies"]:
            seen = f"{value['near-copies']:.0%} of windows are nearer to the training data than nearly all unseen ones"
            found.append(Finding("copies", seen, "train on a longer history, or for fewer steps"))
        return found


def _windows(x: Floats, most: int | None, seed: int = 0) -> Floats:
    """Windows of series (paths, steps, channels), (n, WINDOW, channels): all of them, or some."""
    paths, steps, _ = x.shape
    starts = steps - WINDOW + 1
    chosen = np.arange(paths * starts)
    if most is not None and len(chosen) > most:
        chosen = np.random.default_rng(seed).choice(len(chosen), most, replace=False)
    return np.stack([x[i // starts, i % starts : i % starts + WINDOW] for i in chosen])
