"""The result of checking a set of texts."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from sparring.data.items import Items
from sparring.data.store import Progress
from sparring.modalities.survey import Survey, class_counts, listed
from sparring.modalities.text import drawing
from sparring.modalities.text.passages import Passages
from sparring.modalities.text.tokens import words

if TYPE_CHECKING:
    from sparring.modalities.text.text import Text

FEW = 1000  # texts, below which samples are close to them
EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]*\w")
# Telephone numbers, account numbers: ten digits or more, perhaps in groups.
NUMBER = re.compile(r"(?<![\w.])\+?\d(?:[ ()/.-]{0,2}\d){9,18}(?!\w)")
MIN_SHARE = 0.5  # of a text's letters in another script, from which it is one of that script
DAMAGED = re.compile("\N{REPLACEMENT CHARACTER}|Ã[\x80-\xbf]|â€")  # text that was decoded by another encoding


@dataclass(frozen=True, kw_only=True)
class TextSurvey(Survey):
    """What a set of texts contains.

    Attributes:
        found: where texts with a peculiarity are in the file, by what it is.
        lengths: numbers of words: the smallest, the median, the 99th percentile and the largest.
        rare: number of different words, and how many of them occur once.
        script: that most letters belong to.
        examples: some of the texts.
    """

    found: Mapping[str, tuple[str, ...]]
    lengths: tuple[int, int, int, int]
    rare: tuple[int, int]
    script: str
    examples: tuple[str, ...]

    def rows(self) -> list[tuple[str, str]]:
        low, middle, most, high = self.lengths
        different, once = self.rare
        return [
            *super().rows(),
            *((what, listed(places)) for what, places in self.found.items()),
            ("words", f"{low} to {high} in a text, median {middle}, 99% have at most {most}"),
            ("rare words", f"{once:,} of {different:,} different words occur once"),
            ("script", self.script),
        ]

    def advice(self) -> list[str]:
        advice = super().advice()
        if self.found["personal data"]:
            seen = "texts hold what looks like e-mail addresses or numbers of persons"
            advice.insert(0, f"{seen}; remove them before training, or a model may repeat them")
        if self.found["duplicates"]:
            advice.append(
                f"{len(self.found['duplicates']):,} texts are repeated, and are learned as often as they occur"
            )
        if self.found["damaged"]:
            advice.append("some characters are damaged: the file was saved in another encoding; save it as UTF-8")
        if self.count < FEW:
            advice.append(
                f"only {self.count:,} texts: samples will be close to them; check copy_share in the evaluation"
            )
        return advice

    def content(self) -> dict[str, Any]:
        found = {what: list(places) for what, places in self.found.items()}
        return {**super().content(), "found": found, "words": list(self.lengths), "rare_words": list(self.rare),
                "script": self.script}  # fmt: skip

    def sheets(self) -> Mapping[str, Image.Image]:
        return {"texts.png": drawing.page(self.examples)}


def survey(modality: Text, items: Items, data: str, progress: Progress) -> TextSurvey:
    """All texts of a data set are read and counted.

    Raises:
        InputError: if none can be learned.
    """
    fitted = modality.fit(items)
    encoded = fitted.encode(items, progress)
    passages = fitted.passages(items)
    found, script = _found(passages)
    split = [words(text) for text in passages.lines if text.strip()]
    counts = Counter(word for text in split for word in text)
    quantiles = np.quantile([len(text) for text in split], [0, 0.5, 0.99, 1], method="nearest").astype(int).tolist()
    texts = [text for text in passages.lines if text.strip()]
    return TextSurvey(
        items=items,
        data=data,
        words=modality.words,
        count=len(encoded.readable) if encoded.span == 1 else len(items),
        classes=class_counts(items, encoded.readable),
        held=0 if items.held is None else int(items.held.sum()),
        unreadable=encoded.skipped,
        notes=(*items.notes, *encoded.notes),
        found=found,
        lengths=tuple(quantiles),
        rare=(len(counts), sum(1 for count in counts.values() if count == 1)),
        script=script,
        examples=tuple(texts[:: max(1, len(texts) // drawing.MAX_DRAWN)][: drawing.MAX_DRAWN]),
    )


def _found(passages: Passages) -> tuple[dict[str, tuple[str, ...]], str]:
    """Where texts with a peculiarity are, and the script of most letters."""
    scripts = [_script(text) for text in passages.lines]
    usual = Counter(script for script in scripts if script).most_common(1)
    main = usual[0][0] if usual else "none"
    found: dict[str, list[str]] = {
        what: [] for what in ("empty", "duplicates", "other scripts", "damaged", "personal data")
    }
    first: dict[str, int] = {}
    for i, text in enumerate(passages.lines):
        place = passages.texts.place(i)
        if not text.strip():
            if not passages.continuous:
                found["empty"].append(place)
            continue
        if first.setdefault(text, i) != i and not passages.continuous:
            found["duplicates"].append(place)
        if scripts[i] not in ("", main):
            found["other scripts"].append(f"{place} ({scripts[i]})")
        if DAMAGED.search(text):
            found["damaged"].append(place)
        if EMAIL.search(text) or NUMBER.search(text):
            found["personal data"].append(place)
    return {what: tuple(places) for what, places in found.items()}, main.capitalize()


def _script(text: str) -> str:
    """The script of most letters of a text, such as "latin"; "" if it has none or they are mixed."""
    names = Counter(_script_of(letter) for letter in text if letter.isalpha())
    if not names:
        return ""
    script, count = names.most_common(1)[0]
    return script if count >= MIN_SHARE * names.total() else ""


def _script_of(letter: str) -> str:
    return unicodedata.name(letter, "unknown").split(" ")[0].split("-")[0].lower()
