"""Text: characters, words or subwords, by class, with a prompt, of any length."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from sparring.data.items import Items
from sparring.data.split import Split, split_items
from sparring.data.store import Progress, no_progress
from sparring.data.tensors import VALUES, Tensors
from sparring.errors import InputError
from sparring.json_files import build
from sparring.modalities.asks import Ask, Request
from sparring.modalities.base import Encoded, Modality, Recommendation, Samples, Words, Writer
from sparring.modalities.samples import write_png
from sparring.modalities.survey import Survey
from sparring.modalities.text import drawing, passages, reading, writing
from sparring.modalities.text.passages import Passages, Side
from sparring.modalities.text.sets import SETS
from sparring.modalities.text.tokens import Tokenizer, Unit, choose, fit
from sparring.modalities.text.view import View

if TYPE_CHECKING:
    from sparring.modalities.judge import Judge, Sampler, TrainingData
    from sparring.modalities.labeled import LabeledSet

MAX_HELD = 10_000  # texts held out at most
MAX_ASKED = 4096  # tokens of a text that is asked for


@dataclass(frozen=True)
class Text(Modality):
    """Texts. The networks see codes of tokens, (length,), 0 after the end.

    Attributes:
        column: name of the column of text in a table; "" to find it.
        cut: what a sample is: a line (or a row, a file), a window of a long text, or "auto", as the data suggest.
        unit: of tokens; "auto" to choose it by the data.
        size: number of tokens that are learned at most.
        longest: tokens of a text; longer ones are cut.
        window: tokens of a window of a long text.
        tokenizer: as fitted.
        continuous: True if samples are windows of a long text.
        length: tokens of a text, the end included.
    """

    kind: ClassVar[str] = reading.KIND
    hub_task: ClassVar[str] = "text-generation"
    reads: ClassVar[tuple[str, ...]] = ("rows",)
    words: ClassVar[Words] = Words("text", "texts", compared="tokens and pairs of tokens")
    files: ClassVar[str] = "text (.txt, a .csv or .jsonl of texts and labels, a folder of .txt files)"
    specific: ClassVar[bool] = True
    sets: ClassVar[Mapping[str, Callable[[], Items]]] = SETS
    features_name: ClassVar[str] = "tokens"
    shown_as: ClassVar[Literal["image", "table", "audio", "video"]] = "table"
    preview_items: ClassVar[int] = 32
    walk_grid: ClassVar[tuple[int, int]] = (3, 4)
    film_items: ClassVar[int] = 0
    chunk_size: ClassVar[int] = 128
    discrete: ClassVar[bool] = True

    column: str = ""
    cut: Literal["auto", "lines", "windows"] = "auto"
    unit: Literal["auto", "characters", "words", "subwords"] = "auto"
    size: int = 8000
    longest: int = 64
    window: int = 128
    tokenizer: Tokenizer = Tokenizer("characters", ())
    continuous: bool = False
    length: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.tokenizer, Mapping):  # of a model file
            object.__setattr__(self, "tokenizer", build(Tokenizer, self.tokenizer, "a tokenizer"))

    @classmethod
    def read(cls, path: Path) -> Items | None:
        return reading.read(path)

    @classmethod
    def read_asked(cls, path: Path) -> Items | None:
        return reading.read_asked(path)

    @classmethod
    def adopt(cls, data: Any) -> Items | None:
        return reading.adopt(data)

    @classmethod
    def recommend(cls, items: Items, device: str, seconds: float | None) -> Recommendation | None:  # noqa: ARG003
        if items.kind != cls.kind:
            return None
        return Recommendation("text", "text: a language model by likelihood, resampled by a D")

    @classmethod
    def survey(cls, items: Items, data: str, progress: Progress = no_progress) -> Survey:
        from sparring.modalities.text.check import survey

        return survey(cls(), items, data, progress)

    # Encoding.

    def passages(self, items: Items) -> Passages:
        """The texts of a data set that are learned, before they are tokens.

        Raises:
            InputError: if there are none.
        """
        texts = reading.texts_in(items, self.column)
        continuous = self.continuous if self.length else passages.is_continuous(texts, self.cut)
        return Passages(texts, continuous)

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.length,)

    def fit(self, items: Items) -> Self:
        found = self.passages(items)
        texts = found.whole()
        unit: Unit = choose(texts, found.continuous, self.size) if self.unit == "auto" else self.unit
        # The lines of a long text follow one another, so that spaces before them would stand in the text.
        tokenizer = fit(texts, unit, self.size, spaced=not found.continuous)
        if found.continuous:
            length = 1 + self.window
        else:
            length = 1 + min(self.longest, max(len(tokenizer.tokenize(text)) for text in texts))
        return replace(self, tokenizer=tokenizer, continuous=found.continuous, length=length)

    def split(self, items: Items, readable: NDArray[np.int64] | None = None) -> Split:
        """A tenth of the texts is held out, at most 10,000; of a long text, every tenth block of lines."""
        if not self.continuous:
            return split_items(items, readable, self.stratify, MAX_HELD)
        held = passages.held_lines(len(items))
        return Split(np.flatnonzero(~held), np.flatnonzero(held))

    def splits_at_random(self, items: Items) -> bool:
        return not self.continuous and super().splits_at_random(items)

    def encode(self, items: Items, progress: Progress = no_progress) -> Encoded:
        """Codes of tokens, int16 (n, length)."""
        found = self.passages(items)
        if found.continuous:
            codes, first, span = passages.windows(found, self.tokenizer, self.length)
            skipped: tuple[tuple[str, str], ...] = ()
        else:
            codes, first, skipped = passages.lines(found, self.tokenizer, self.length, progress)
            span = 1
        if not len(codes):
            raise InputError(
                f"{items.name!r} has no text that can be learned"
                + (f"; {skipped[0][0]}: {skipped[0][1]}" if skipped else f": it is shorter than {self.window} tokens")
            )
        notes = passages.notes_of(found, codes, self.tokenizer, self.longest)
        return Encoded({VALUES: torch.from_numpy(codes)}, first, span, skipped, notes)

    def scale(self, encoded: Tensor) -> Tensor:
        return encoded.long()

    def unscale(self, values: Tensor) -> Tensor:
        return values.to(torch.int16)

    def decode(self, samples: Tensors, start: int = 0) -> NDArray[Any]:  # noqa: ARG002
        """Texts, an array of strings (n,)."""
        return np.array(self.tokenizer.texts(samples[VALUES].cpu().numpy()), object)

    @cached_property
    def view(self) -> View:
        """What a discriminator sees of a text."""
        return View(self.tokenizer.unknown, len(self.tokenizer.vocabulary))

    # Conditions.

    def draw_conditions(self, n: int, device: torch.device, requested: Tensor | None = None) -> Tensor | None:
        """Classes (n,); with a prompt, (n, 1 + tokens): a class, negative if there is none, then the prompt."""
        if requested is None or not requested.ndim:
            return super().draw_conditions(n, device, requested)
        rows = requested.to(device).expand(n, -1).clone()
        if self.classes and int(requested[0]) < 0:
            drawn = super().draw_conditions(n, device)
            assert drawn is not None
            rows[:, 0] = drawn
        return rows

    def labels_of(self, condition: Tensor) -> NDArray[np.int64]:
        labels: NDArray[np.int64] = (condition if condition.ndim == 1 else condition[:, 0]).cpu().numpy()
        return labels

    @property
    def asks(self) -> tuple[Ask, ...]:
        return (*super().asks, PROMPT, *([LENGTH] if self.continuous else []))

    def requested(self, asked: Mapping[str, Any]) -> Request:
        request = super().requested(asked)
        length = asked.get(LENGTH.name)
        steps = None if length is None else int(length) + 1
        if PROMPT.name not in asked:
            return replace(request, length=steps)
        codes = self._prompt_codes(asked[PROMPT.name], steps or self.length)
        label = torch.tensor(-1) if request.condition is None else request.condition
        return replace(request, length=steps, condition=torch.cat([label[None], torch.tensor(codes)]), alone=True)

    def _prompt_codes(self, prompt: str, length: int) -> list[int]:
        """The codes of a prompt.

        Raises:
            InputError: if it has tokens that are not learned, or too many.
        """
        begin = prompt if self.tokenizer.unit == "characters" else prompt.strip()  # words begin with their space
        tokens, codes = self.tokenizer.tokenize(begin), self.tokenizer.codes(begin)
        unseen = [
            token.strip() or token for token, code in zip(tokens, codes, strict=True) if code in (-1, self.view.unknown)
        ]
        if unseen:
            named = ", ".join(map(repr, dict.fromkeys(unseen)))
            raise InputError(
                f"prompt {prompt!r} has {self.tokenizer.unit} that were not learned: {named}; leave them out"
            )
        if len(codes) >= length:
            raise InputError(
                f"prompt {prompt!r} has {len(codes)} {self.tokenizer.unit}, texts have at most {length - 1}; shorten it"
            )
        return codes

    # Judging.

    def sides(self, items: Items) -> tuple[Side, Side]:
        """The texts that are trained on and those that are held out: cut as the networks see them, but with their rare
        tokens. Of a long text, windows that do not overlap.

        Raises:
            InputError: as `encode` does.
        """
        encoded = self.encode(items)
        train, held = self.split(items, encoded.readable).samples(encoded.items, encoded.span)
        if self.continuous:
            train, held = (side[passages.apart(encoded.items[side], encoded.span)] for side in (train, held))
            texts = self.tokenizer.texts(np.asarray(encoded.values))
        else:
            lines = self.passages(items).lines
            texts = [self.tokenizer.cut(lines[i], self.length - 1) for i in encoded.items]
        labels = None if items.labels is None else items.labels[encoded.items]
        first, second = (
            Side([texts[i] for i in side], None if labels is None else labels[side]) for side in (train, held)
        )
        return first, second

    def features(self, samples: Tensors) -> Tensor:
        return self.view.features(samples[VALUES])

    def judge(
        self, training: TrainingData, against: Items | None, options: Mapping[str, Any], say: Callable[[str], None]
    ) -> Judge:
        from sparring.modalities.text.judge import text_judge

        return text_judge(self, training, against, options, say)

    def labeled_set(
        self, model: Sampler, training: TrainingData, against: Items | None, target: str
    ) -> LabeledSet | None:
        from sparring.modalities.text.labeled import labeled_texts

        return labeled_texts(self, model, training, against) if self.classes and not target else None

    # Drawing and writing.

    def preview(self, samples: Samples) -> Image.Image:
        return drawing.page(samples.items, _names(samples))

    def draw_items(self, samples: Samples) -> list[Image.Image]:
        return drawing.cards(samples.items)

    def as_frame(self, samples: Samples) -> Any:
        return writing.as_frame(samples.items, _names(samples))

    @property
    def writers(self) -> tuple[Writer, ...]:
        return (
            Writer(".txt", "text/plain", writing.write_lines),
            Writer(".csv", "text/csv", lambda s, path: writing.write_csv(s, path, _names(s))),
            Writer(".jsonl", "application/jsonl", lambda s, path: writing.write_records(s, path, _names(s))),
            Writer(".png", "image/png", write_png),
        )

    @property
    def sample_shape(self) -> tuple[int, ...]:
        return (self.length,)

    def describe_values(self) -> str:
        return "codes of tokens, 0 after the end"

    def as_json(self, samples: Samples) -> dict[str, Any]:
        names = _names(samples)
        return {"texts": [str(text) for text in samples.items], **({} if names is None else {"labels": names})}


def _names(samples: Samples) -> list[str] | None:
    """Names of the classes of samples, if they have some."""
    if samples.labels is None:
        return None
    return [samples.modality.classes[label] for label in samples.labels]


PROMPT = Ask("prompt", "How each text begins.", examples=("a man",))
LENGTH = Ask("length", "Tokens of a text.", "integer", low=1, high=MAX_ASKED, examples=("500",))
