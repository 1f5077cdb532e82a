"""Texts as tokens: characters, words or trained subwords. The tokens of a text, one after the other, are the text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from statistics import median
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sparring.errors import needs

Unit = Literal["characters", "words", "subwords"]
END = 0  # the code after the last token, and all after it
UNKNOWN = "\N{REPLACEMENT CHARACTER}"  # stands for a token that is not learned
WORD = re.compile(r" ?\w+(?:['\u2019]\w+)*| ?[^\w\s]|\s")  # with the space before it
PROBED = 2000  # texts by which the unit is chosen
MAX_NAME = 2  # median number of words of names
MAX_WORD = 12  # characters per word; more are a script without spaces
MIN_COVERAGE = 0.97  # share of the words that a vocabulary must have


def words(text: str) -> list[str]:
    """Words and punctuation, without the spaces between them."""
    return [word for word in (part.strip() for part in WORD.findall(text)) if word]


@dataclass(frozen=True)
class Tokenizer:
    """Texts <-> codes.

    Attributes:
        unit: of tokens.
        vocabulary: the tokens; `UNKNOWN` is among them if the training texts have tokens that are not.
        merges: of subwords, as the library tokenizers stores them; "" for other units.
        spaced: put a space before a text, so that its first word is the same token as elsewhere, and remove it again.
    """

    unit: Unit
    vocabulary: tuple[str, ...]
    merges: str = ""
    spaced: bool = True

    @cached_property
    def _codes(self) -> dict[str, int]:
        return {token: i + 1 for i, token in enumerate(self.vocabulary)}

    @cached_property
    def _names(self) -> NDArray[Any]:
        return np.array(["", *self.vocabulary], object)

    @cached_property
    def _subwords(self) -> Any:
        return _library().Tokenizer.from_str(self.merges)

    @property
    def unknown(self) -> int:
        """The code of `UNKNOWN`; -1 if there is none."""
        return self._codes.get(UNKNOWN, -1)

    def tokenize(self, text: str) -> list[str]:
        """The tokens of a text, also those that are not learned."""
        if self.unit == "characters":
            return list(text)
        parts: list[str] = WORD.findall(f" {text}" if self.spaced else text)
        if self.unit == "words":
            return parts
        encoded = self._subwords.encode(parts, is_pretokenized=True)
        tokens: list[str] = encoded.tokens
        return tokens

    def codes(self, text: str) -> list[int]:
        """The codes of a text; -1 for tokens that are not learned if there is no `UNKNOWN`."""
        known, unknown = self._codes, self.unknown
        return [known.get(token, unknown) for token in self.tokenize(text)]

    def cut(self, text: str, length: int) -> str:
        """A text without what follows its first `length` tokens, which need not be learned."""
        return self._without_space("".join(self.tokenize(text)[:length]))

    def texts(self, codes: NDArray[np.integer]) -> list[str]:
        """Codes (n, length) as texts."""
        ended = (codes == END).cumsum(1) > 0
        return [self._without_space("".join(row)) for row in self._names[np.where(ended, END, codes)]]

    def _without_space(self, text: str) -> str:
        return text.removeprefix(" ") if self.spaced and self.unit != "characters" else text


def fit(texts: Sequence[str], unit: Unit, size: int, spaced: bool = True) -> Tokenizer:
    """The tokenizer of some texts.

    Args:
        size: number of tokens at most. Words that occur once are not learned.
        spaced: as for `Tokenizer`.
    """
    if unit == "subwords":
        return _fit_subwords(texts, size, spaced)
    plain = Tokenizer(unit, (), spaced=spaced)
    counts = Counter(token for text in texts for token in plain.tokenize(text))
    least = 2 if unit == "words" else 1
    common = [token for token, count in counts.most_common(size) if count >= least and token != UNKNOWN]
    rest = [UNKNOWN] if len(common) < len(counts) else []
    return Tokenizer(unit, (*sorted(common), *rest), spaced=spaced)


def _fit_subwords(texts: Sequence[str], size: int, spaced: bool) -> Tokenizer:
    """Byte pair encoding of characters. Sennrich et al. 2015, arXiv:1508.07909."""
    library = _library()
    tokenizer = library.Tokenizer(library.models.BPE(unk_token=UNKNOWN))
    trainer = library.trainers.BpeTrainer(vocab_size=size, special_tokens=[UNKNOWN], show_progress=False)
    whole = Tokenizer("words", (), spaced=spaced)
    tokenizer.train_from_iterator((part for text in texts for part in whole.tokenize(text)), trainer)
    known = sorted(token for token in tokenizer.get_vocab() if token != UNKNOWN)
    return Tokenizer("subwords", (*known, UNKNOWN), tokenizer.to_str(), spaced)


def _library() -> Any:
    return needs("tokenizers", "text", "splits words into subwords")


def choose(texts: Sequence[str], continuous: bool, size: int) -> Unit:
    """The unit that suits some texts: characters for a long text, for names and for scripts without spaces, words if
    nearly all of them occur twice, and subwords otherwise if the library is installed.
    """
    some = texts[:: max(1, len(texts) // PROBED)]
    lengths = [len(words(text)) for text in some]
    characters = sum(map(len, some))
    if continuous or median(lengths) <= MAX_NAME or characters > MAX_WORD * sum(lengths):
        return "characters"
    if coverage(texts, size) >= MIN_COVERAGE or find_spec("tokenizers") is None:
        return "words"
    return "subwords"


def coverage(texts: Sequence[str], size: int) -> float:
    """Share of the words of texts that a vocabulary of the most frequent ones has, without those that occur once."""
    counts = Counter(word for text in texts for word in WORD.findall(f" {text}"))
    return sum(count for _, count in counts.most_common(size) if count > 1) / max(1, counts.total())
