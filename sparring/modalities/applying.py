"""What became of files that a model was applied to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Applied:
    """The result of applying a model to files.

    Attributes:
        count: number of transformed items.
        words: what they are called, in the singular if there is one: "images", "frame".
    """

    count: int
    words: str
