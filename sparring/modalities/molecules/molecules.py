"""Molecules: SMILES strings, validated, conditioned on descriptors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from sparring.data.items import Items
from sparring.data.split import HELD_FRACTION, MIN_ITEMS, Split
from sparring.data.store import Progress, no_progress
from sparring.data.tensors import CONDITION, REWRITTEN, VALUES, Tensors
from sparring.errors import InputError
from sparring.json_files import build
from sparring.metrics import chemistry
from sparring.modalities.asks import Ask, Field, Request
from sparring.modalities.base import Encoded, Modality, Recommendation, Samples, Words, Writer
from sparring.modalities.molecules import cleaning, drawing, properties, reading, writing
from sparring.modalities.molecules.cleaning import Charges, Cleaned, Marks, Rules, Salts
from sparring.modalities.molecules.conditions import Range, Valid, ranges
from sparring.modalities.molecules.membership import Members
from sparring.modalities.molecules.properties import Estimate, Measure, estimate, known_properties, measures
from sparring.modalities.molecules.requests import Known
from sparring.modalities.molecules.sets import SETS
from sparring.modalities.molecules.targets import LIKE, NOVEL, SCAFFOLD, SIMILARITY, Wanted
from sparring.modalities.molecules.tokens import END, as_codes, as_text, tokenize, vocabulary
from sparring.modalities.molecules.view import View
from sparring.modalities.samples import Comparison, write_png
from sparring.modalities.survey import Survey

if TYPE_CHECKING:
    from sparring.modalities.judge import Judge, TrainingData
    from sparring.modalities.ranking import Ranked
    from sparring.nets.discriminator import Discriminator

PROPERTIES = "properties"  # part of an encoded molecule: its standardized descriptors
SKETCHED = 10_000  # molecules by which descriptors are standardized
MAX_EXAMPLES = 500  # training molecules that the model keeps, for conditions and plots
FREE = 0.5  # share of the descriptors that are free in a training condition
MAX_DEVIATIONS = 5.0  # of a descriptor in a condition from the mean
MAX_HELD = 10_000  # molecules held out at most


@dataclass(frozen=True)
class Molecules(Modality):
    """Molecules as SMILES. The networks see codes of tokens, (length,), 0 after the end.

    Attributes:
        column: name of the column of SMILES in a table; "" to find it.
        salts, charges, isotopes, stereo, longest: as in `Rules`.
        rewritten: encode each molecule a second time, as another SMILES of it, for nets that read one and write the
            other.
        described: names of the properties that samples are generated for; others are only filtered by.
        vocabulary: the tokens.
        length: tokens of a molecule, the end included.
        mean, deviation: of the descriptors `chemistry.QUICK`.
        means, deviations, lows, highs: of `described` in the training data.
        examples, example_values: some molecules of the data, and their properties.
        estimates: of the columns among `described`.
        trained: the molecules of the data as `Members`; "" for models of older versions.
    """

    kind: ClassVar[str] = reading.KIND
    reads: ClassVar[tuple[str, ...]] = ("rows",)
    words: ClassVar[Words] = Words("molecule", "molecules", compared="substructures, descriptors and validity")
    files: ClassVar[str] = "molecules (.smi, .sdf, a table with a column of SMILES)"
    specific: ClassVar[bool] = True
    sets: ClassVar[Mapping[str, Callable[[], Items]]] = SETS
    features_name: ClassVar[str] = "substructures"
    preview_items: ClassVar[int] = 32
    walk_grid: ClassVar[tuple[int, int]] = (3, 6)
    neighbor_grid: ClassVar[tuple[int, int]] = (5, 4)
    distance_words: ClassVar[str] = "root mean squares of the differences of substructures and descriptors"
    film_items: ClassVar[int] = 0
    chunk_size: ClassVar[int] = 128
    max_draws: ClassVar[int] = 20_000
    discrete: ClassVar[bool] = True

    column: str = ""
    salts: Salts = "largest"
    charges: Charges = "keep"
    isotopes: Marks = "keep"
    stereo: Marks = "keep"
    longest: int = 100
    rewritten: bool = False
    described: tuple[str, ...] = ()
    vocabulary: tuple[str, ...] = ()
    length: int = 0
    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()
    means: tuple[float, ...] = ()
    deviations: tuple[float, ...] = ()
    lows: tuple[float, ...] = ()
    highs: tuple[float, ...] = ()
    examples: tuple[str, ...] = ()
    example_values: tuple[tuple[float, ...], ...] = ()
    estimates: tuple[Estimate, ...] = ()
    trained: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        restored = tuple(build(Estimate, e, "an estimate") if isinstance(e, Mapping) else e for e in self.estimates)
        object.__setattr__(self, "estimates", restored)
        if self.trained:
            _ = self._members  # raises if a file says something else

    @classmethod
    def read(cls, path: Path) -> Items | None:
        return reading.read(path)

    @classmethod
    def adopt(cls, data: Any) -> Items | None:
        return reading.adopt(data)

    @classmethod
    def recommend(cls, items: Items, device: str, seconds: float | None) -> Recommendation | None:  # noqa: ARG003
        if items.kind != cls.kind:
            return None
        return Recommendation("molecules", "molecules: SMILES by likelihood, resampled by a D that sees substructures")

    @classmethod
    def survey(cls, items: Items, data: str, progress: Progress = no_progress) -> Survey:
        from sparring.modalities.molecules.check import survey

        return survey(cls(), items, data, progress)

    # Encoding.

    @property
    def rules(self) -> Rules:
        """What is done with molecules before they are learned."""
        return Rules(self.salts, self.charges, self.isotopes, self.stereo, self.longest)

    def cleaned(self, items: Items) -> Cleaned:
        """The molecules of a data set that are learned.

        Raises:
            InputError: if there are none.
        """
        records = reading.records_of(items, self.column)
        cleaned = cleaning.clean(records, self.rules)
        if not cleaned.smiles:
            place, why = cleaned.skipped[0] if cleaned.skipped else ("it", "it is empty")
            raise InputError(f"{items.name!r} has no molecule that can be learned; {place}: {why}")
        return cleaned

    def split(self, items: Items, readable: NDArray[np.int64] | None = None) -> Split:
        """A tenth of the molecules is held out, and more of them than of other data: distances need many."""
        if items.held is not None:
            return super().split(items, readable)
        index = np.arange(len(items)) if readable is None else readable
        order = np.random.default_rng(0).permutation(len(index))
        held = np.zeros(len(index), bool)
        held[order[: min(MAX_HELD, len(index) // HELD_FRACTION)]] = len(index) >= MIN_ITEMS
        return Split(index[~held], index[held])

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.length,)

    def fit(self, items: Items) -> Self:
        records, cleaned = reading.records_of(items, self.column), self.cleaned(items)
        properties.check_names(self.described, records)
        smiles = cleaned.smiles
        every = (*smiles, *cleaning.rewritten(smiles)) if self.rewritten else smiles
        order = np.random.default_rng(0).permutation(len(smiles))
        quick = np.nan_to_num(chemistry.quick(chemistry.parse_each(smiles[i] for i in order[:SKETCHED])))
        values = known_properties(records, cleaned, self.described)
        known = order[np.isfinite(values[order]).all(1)][:MAX_EXAMPLES]
        fitted = replace(
            self,
            vocabulary=vocabulary(every),
            length=1 + max(len(tokenize(text)) for text in every),
            mean=_floats(quick.mean(0)),
            deviation=_floats(np.where(quick.std(0) > 0, quick.std(0), 1.0)),
            means=_floats(np.nanmean(values, 0)),
            deviations=_floats(np.where(np.nanstd(values, 0) > 0, np.nanstd(values, 0), 1.0)),
            lows=_floats(np.nanmin(values, 0)),
            highs=_floats(np.nanmax(values, 0)),
            examples=tuple(smiles[i] for i in known),
            example_values=tuple(_floats(row) for row in values[known]),
            trained=Members.of(smiles).as_text(),
        )
        measured = [(i, name) for i, name in enumerate(self.described) if name not in chemistry.descriptors()]
        estimates = tuple(estimate(name, values[:, i], smiles, fitted.view) for i, name in measured)
        return replace(fitted, estimates=estimates)

    def encode(self, items: Items, progress: Progress = no_progress) -> Encoded:  # noqa: ARG002
        """Codes of tokens, int16 (n, length), and standardized properties, float32 (n, len(described))."""
        records, cleaned = reading.records_of(items, self.column), self.cleaned(items)
        codes = as_codes(cleaned.smiles, self.vocabulary, self.length)
        known = codes[:, 0] >= 0
        if not known.any():
            raise InputError(f"{items.name!r} has no molecule that consists of the tokens of the training data")
        unknown = [
            (records.place(cleaned.rows[i]), f"{cleaned.smiles[i]} has unseen tokens") for i in np.flatnonzero(~known)
        ]
        values = known_properties(records, cleaned, self.described)[known]
        tensors = {VALUES: torch.from_numpy(codes[known]), PROPERTIES: self._standardized(values)}
        if self.rewritten:
            others = as_codes(cleaning.rewritten(cleaned.smiles), self.vocabulary, self.length)
            others = np.where(others[:, :1] < 0, codes, others)  # of other data, with unseen tokens
            tensors[REWRITTEN] = torch.from_numpy(others[known])
        notes = [*cleaning.notes_of(cleaned), *(own.note() for own in self.estimates)]
        return Encoded(tensors, cleaned.rows[known], skipped=(*cleaned.skipped, *unknown), notes=tuple(notes))

    def _standardized(self, values: NDArray[np.float64]) -> Tensor:
        """Properties in standard deviations; NaN where they are unknown or free."""
        scaled = (values - np.array(self.means)) / np.array(self.deviations)
        return torch.from_numpy(scaled.clip(-MAX_DEVIATIONS, MAX_DEVIATIONS).astype(np.float32))

    def scale(self, encoded: Tensor) -> Tensor:
        return encoded.long()

    def unscale(self, values: Tensor) -> Tensor:
        return values.to(torch.int16)

    def batch(self, tensors: Mapping[str, Tensor]) -> Tensors:
        """Codes, and as conditions some of their own descriptors: NaN for those that are free."""
        batch = {**tensors, VALUES: self.scale(tensors[VALUES])}
        if REWRITTEN in batch:
            batch[REWRITTEN] = self.scale(batch[REWRITTEN])
        values = batch.pop(PROPERTIES)
        if self.described:
            batch[CONDITION] = torch.where(torch.rand_like(values) < FREE, nan, values)
        return batch

    def decode(self, samples: Tensors, start: int = 0) -> NDArray[Any]:  # noqa: ARG002
        """SMILES as they were generated, which may be invalid, an array of strings (n,)."""
        return np.array(as_text(samples[VALUES].cpu().numpy(), self.vocabulary), object)

    @cached_property
    def view(self) -> View:
        """What a discriminator sees of a molecule."""
        return View(self.vocabulary, self.mean, self.deviation)

    # Conditions.

    @property
    def condition_width(self) -> int:
        return len(self.described)

    def draw_conditions(self, n: int, device: torch.device, requested: Tensor | None = None) -> Tensor | None:
        if not self.described:
            return None
        if requested is None:
            return torch.full((n, len(self.described)), nan, device=device)
        rows = requested.to(device)
        return rows[torch.randint(len(rows), (n,), device=device)]

    @cached_property
    def asks(self) -> tuple[Ask, ...]:
        bounds = zip(self.described, self.lows, self.highs, strict=False)
        fields = tuple(Field(name, low=f"{low:.4g}", high=f"{high:.4g}") for name, low, high in bounds)
        novel = (NOVEL,) if self.trained or not self.vocabulary else ()
        return (replace(WHERE, fields=fields), LIKE, SIMILARITY, SCAFFOLD, *novel)

    def requested(self, asked: Mapping[str, Any]) -> Request:
        conditions = ranges(asked.get(WHERE.name, ()), self.measures)
        for condition in conditions:
            self._known.check_possible(condition)
        wanted = Wanted.of(asked, self.vocabulary, self.length, self._members)
        own = [self.measures[name] for name in self.described]
        rows = self._known.rows(conditions, wanted.typical(own, self.examples, self._known.examples))
        drawn = None if rows is None else self._standardized(rows)
        notes = (*self._notes(conditions), *wanted.notes(self.examples))
        rules = (*conditions, *wanted.rules, Valid())
        beginnings = self._beginnings(wanted)
        return Request(
            drawn, rules, beginnings=beginnings, finish=None if beginnings is None else _canonical, notes=notes
        )

    def _beginnings(self, wanted: Wanted) -> Tensor | None:
        """Codes (m, length) that half of the samples begin with, -1 after the end of each; None if there are none."""
        texts = () if wanted.scaffold is None else wanted.scaffold.beginnings
        codes = as_codes(texts, self.vocabulary, self.length).astype(np.int64)
        codes = codes[codes[:, 0] > 0]
        return torch.from_numpy(np.where(codes == END, -1, codes)) if len(codes) else None

    @cached_property
    def _members(self) -> Members | None:
        try:
            return Members.from_text(self.trained) if self.trained else None
        except ValueError as error:
            raise InputError(f"trained={self.trained[:20]!r} is damaged: {error}") from error

    @cached_property
    def measures(self) -> Mapping[str, Measure]:
        """What measures each property by its name."""
        return measures(self.estimates, self.view)

    @cached_property
    def _known(self) -> Known:
        values = np.array(self.example_values, np.float64).reshape(len(self.examples), len(self.described))
        return Known(self.described, self.lows, self.highs, values)

    def _notes(self, conditions: Sequence[Range]) -> tuple[str, ...]:
        others = dict.fromkeys(c.name for c in conditions if c.name not in self.described)
        hint = " (conditions={})" if self.described else ""
        why = "is only filtered by, as the model was not trained with it"
        filtered = (f"{name} {why}{hint.format(name)}" for name in others)
        asked = {condition.name for condition in conditions}
        return (*filtered, *(own.note() for own in self.estimates if own.name in asked))

    def _unavailable(self, name: str, value: Any) -> str:
        if name == "label":
            return f"label {value!r} was given, but molecules are requested by their descriptors (--where)"
        return super()._unavailable(name, value)

    def describe_condition_input(self) -> str:
        return f"in standard deviations, NaN where free: {', '.join(self.described)}"

    def describe_conditions(self) -> dict[str, Any]:
        bounds = zip(self.described, self.lows, self.highs, strict=True)
        return {"descriptors": [{"name": name, "low": low, "high": high} for name, low, high in bounds]}

    # Judging.

    def features(self, samples: Tensors) -> Tensor:
        return self.view.features(list(self.decode(samples)), samples[VALUES].device)

    def judge(
        self, training: TrainingData, against: Items | None, options: Mapping[str, Any], say: Callable[[str], None]
    ) -> Judge:
        from sparring.modalities.molecules.judge import molecule_judge

        return molecule_judge(self, training, against, options, say)

    def rank(self, critic: Discriminator, items: Items, device: torch.device, progress: Progress) -> list[Ranked]:
        from sparring.modalities.molecules.ranking import rank

        return rank(self.view, critic, items, device, progress)

    def compare(self, samples: Samples, request: Request, items: Callable[[], Items | None]) -> Comparison:  # noqa: ARG002
        return drawing.comparison(samples.items, self.examples)

    # Drawing and writing.

    def preview(self, samples: Samples) -> Image.Image:
        return drawing.sheet(samples.items)

    def draw_items(self, samples: Samples) -> list[Image.Image]:
        return drawing.structures(samples.items)

    @property
    def _written(self) -> Mapping[str, Measure]:
        """What measures the properties that stand in files of samples."""
        return {name: self.measures[name] for name in self.described}

    @property
    def writers(self) -> tuple[Writer, ...]:
        return (
            Writer(".smi", "chemical/x-daylight-smiles", writing.write_smiles),
            Writer(".csv", "text/csv", lambda s, path: writing.write_csv(s, path, self._written)),
            Writer(".sdf", "chemical/x-mdl-sdfile", lambda s, path: writing.write_sdf(s, path, self._written)),
            Writer(".png", "image/png", write_png),
        )

    @property
    def sample_shape(self) -> tuple[int, ...]:
        return (self.length,)

    def describe_values(self) -> str:
        return "codes of tokens, 0 after the end"

    def as_json(self, samples: Samples) -> dict[str, Any]:
        return {"smiles": [str(text) for text in samples.items]}


WHERE = Ask(
    "where",
    "Only molecules whose descriptors satisfy a condition: NAME=LOW..HIGH, NAME>NUMBER. May be repeated.",
    many=True,
    examples=("logP=2..3", "QED>.6"),
)


def _canonical(smiles: NDArray[Any]) -> NDArray[Any]:
    """Molecules whose SMILES begin with what was asked, as they usually are."""
    return np.array(chemistry.canonical(smiles), object)


def _floats(values: NDArray[Any]) -> tuple[float, ...]:
    return tuple(float(v) for v in values)
