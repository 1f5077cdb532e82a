"""When a run is over before its bound."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping

from sparring.errors import InputError, nearest

PATIENCE = 8  # scores without a better one, after which nothing improves
BETTER = 0.99  # of the best score, that a better one is below
EVEN = 0.6  # share of pairs that D tells apart, at most, at an equilibrium
LIVELY = 0.5  # of the data's diversity, at least
STEADY = 5  # looks for which an equilibrium must hold


class Until:
    """A condition that ends a run: `equilibrium`, `plateau` or `fid<X`.

    Raises:
        InputError: for any other text.
    """

    def __init__(self, text: str) -> None:
        self.target: float | None = None
        self.text = text
        self._scores: list[float] = []
        self._even: deque[bool] = deque(maxlen=STEADY)
        target = re.fullmatch(r"fid\s*<\s*(\d+\.?\d*(?:e-?\d+)?)", text)
        if target is not None:
            self.target = float(target[1])
        elif text not in ("", "equilibrium", "plateau"):
            raise InputError(f"until {text!r} is not known; {nearest(text, ('equilibrium', 'plateau', 'fid<0.1'))}")

    def met(self, numbers: Mapping[str, float]) -> str:
        """Why the run is over, after these numbers; or nothing.

        Args:
            numbers: of the log, with `fid` and `diversity` where they were looked at.
        """
        fid = numbers.get("fid")
        if fid is not None:
            self._scores.append(fid)
        if self.target is not None and fid is not None and fid < self.target:
            return f"the score {fid:.3g} is below {self.target:g}"
        if self.text == "plateau" and fid is not None:
            early = self._scores[:-PATIENCE]
            if early and min(self._scores[-PATIENCE:]) > BETTER * min(early):
                return f"the score has not improved on {min(early):.3g} for {PATIENCE} looks"
        if self.text == "equilibrium" and "diversity" in numbers and "D_accuracy" in numbers:
            accuracy = numbers["D_accuracy"]
            self._even.append(1 - EVEN <= accuracy <= EVEN and numbers["diversity"] >= LIVELY)
            if len(self._even) == STEADY and all(self._even):
                return f"D tells no more than {EVEN:.0%} of pairs apart, and samples are as various as the data"
        return ""
