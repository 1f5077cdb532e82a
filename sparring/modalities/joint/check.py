"""What joint data contain, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sparring.data.items import Items
from sparring.data.store import Progress
from sparring.modalities.survey import Survey, class_counts

if TYPE_CHECKING:
    from sparring.modalities.joint.joint import Joint


@dataclass(frozen=True, kw_only=True)
class JointSurvey(Survey):
    """The result of checking items of several parts.

    Attributes:
        parts: for each part, how many items have it.
    """

    parts: dict[str, int]

    def rows(self) -> list[tuple[str, str]]:
        counts = [(name, f"{count:,} of {self.count:,} items have one") for name, count in self.parts.items()]
        return [*super().rows(), *counts]

    def advice(self) -> list[str]:
        few = [name for name, count in self.parts.items() if 2 * count < self.count]
        return [
            *(f"most items lack a {name}: give it to more of them, or leave it out" for name in few),
            *super().advice(),
        ]

    def content(self) -> dict[str, Any]:
        return {**super().content(), "parts": self.parts}


def survey(joint: Joint, items: Items, data: str, progress: Progress) -> JointSurvey:
    """Read all parts of all items.

    Raises:
        InputError: if the data cannot be used.
    """
    fitted = joint.fit(items)
    encoded = fitted.encode(items, progress)
    present = encoded.tensors["present"]
    whole = fitted.joint_items(items)
    counts = present.sum(0).tolist()  # type: ignore[union-attr]
    return JointSurvey(
        items=whole, data=data, words=joint.words, count=len(encoded.items),
        classes=class_counts(whole, encoded.readable), held=0 if whole.held is None else int(whole.held.sum()),
        notes=(*(note for note in whole.notes if note not in items.notes), *encoded.notes),
        checks="of each part, only that it can be read was checked",
        parts={part.name: int(count) for part, count in zip(fitted.parts, counts, strict=True)},
    )  # fmt: skip
