"""Early stopping: when a run ends before its bound."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping

from sparring.errors import InputError, nearest

PATIENCE = 8  # scores without improvement that make a plateau
IMPROVEMENT = 0.99  # ratio to the best score below which a score is better
# At an equilibrium D is right in at most 60% of pairs, and samples have at least half of the data's diversity, five
# times in succession.
MAX_ACCURACY = 0.6
MIN_DIVERSITY = 0.5
MIN_REPEATS = 5


class Until:
    """A condition that ends a run: `equilibrium`, `plateau` or `fid<X`.

    Raises:
        InputError: for any other text.
    """

    def __init__(self, text: str) -> None:
        self.target: float | None = None
        self.text = text
        self._scores: list[float] = []
        self._even: deque[bool] = deque(maxlen=MIN_REPEATS)
        target = re.fullmatch(r"fid\s*<\s*(\d+\.?\d*(?:e-?\d+)?)", text)
        if target is not None:
            self.target = float(target[1])
        elif text not in ("", "equilibrium", "plateau"):
            known = "equilibrium", "plateau", "fid<0.1"
            raise InputError(f"--until {text!r} is not supported; {nearest(text, known)}")

    def met(self, numbers: Mapping[str, float]) -> str:
        """Why the run ends now; "" if it does not.

        Args:
            numbers: the latest metrics, with `fid` and `diversity` if they were measured.
        """
        fid = numbers.get("fid")
        if fid is not None:
            self._scores.append(fid)
        if self.target is not None and fid is not None and fid < self.target:
            return f"the score {fid:.3g} is below {self.target:g}"
        if self.text == "plateau" and fid is not None:
            early = self._scores[:-PATIENCE]
            if early and min(self._scores[-PATIENCE:]) > IMPROVEMENT * min(early):
                return f"the score has not improved on {min(early):.3g} in {PATIENCE} scores"
        if self.text == "equilibrium" and "diversity" in numbers and "D_accuracy" in numbers:
            accuracy = numbers["D_accuracy"]
            self._even.append(1 - MAX_ACCURACY <= accuracy <= MAX_ACCURACY and numbers["diversity"] >= MIN_DIVERSITY)
            if len(self._even) == MIN_REPEATS and all(self._even):
                return f"D is right in at most {MAX_ACCURACY:.0%} of pairs, and samples are as diverse as the data"
        return ""
