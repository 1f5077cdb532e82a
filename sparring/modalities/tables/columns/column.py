"""What all columns are: they encode values as codes and scalars, and decode them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sparring.errors import InputError
from sparring.modalities.tables.columns import arrow
from sparring.modalities.tables.columns.forms import Form, form_from_json
from sparring.modalities.tables.columns.forms.dates import SECOND
from sparring.modalities.tables.columns.recognition import recognized, whole_texts
from sparring.modalities.tables.columns.values import Codes, Floats, is_date, is_text, numbers

if TYPE_CHECKING:
    from pandas import Series


MAX_COUNT = 2**53  # rows of a data set


@dataclass(frozen=True)
class Column(ABC):
    """One column. Its values are encoded as a code, which is an index of a one-hot span, and for some types also as a
    scalar in [-1, 1].

    Attributes:
        name: of the column.
        dtype: pandas dtype of samples: that of the data, or for text from a file that of its numbers or dates.
        form: how numbers and dates are written as text; None if they are not, or in no particular form.
        notes: what was recognized, for the user, a line each.
    """

    name: str
    dtype: str
    kind: str = ""
    form: Form | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        form: Any = self.form
        if isinstance(form, Mapping):
            object.__setattr__(self, "form", form_from_json(form))

    def check(self) -> None:
        """Check that the values of a column that was stored fit together.

        Raises:
            InputError: if they do not.
        """
        for values, counts in self.counted():
            if len(values) != len(counts) or min(counts, default=0) < 0 or max(counts, default=0) > MAX_COUNT:
                raise InputError(f"column {self.name!r} is damaged: it has {len(values)} values, but counts {counts}")
        if self.width and not sum(sum(counts) for _, counts in self.counted()):
            raise InputError(f"column {self.name!r} is damaged: none of its values occurs")

    @abstractmethod
    def counted(self) -> list[tuple[Sequence[Any], tuple[int, ...]]]:
        """Values, and how often each occurs in the data."""

    @property
    def microseconds(self) -> int:
        """Microseconds per unit of dates in memory; 0 for other values."""
        return 0

    def numbers(self, values: Series) -> Floats:
        """Values in memory or as they are written, as the column's numbers, (n,); NaN for missing ones.

        Raises:
            ValueError: if they are words.
        """
        unit = self.microseconds
        if is_text(values):
            form = self.form or recognized(values).form
            if form is None:
                raise ValueError(f"column {self.name!r} holds text such as {values.dropna().iloc[0]!r}")
            x = form.numbers(values.tolist())
            if form is not self.form and arrow.is_measured(self.dtype):
                return form.comparable(x) / SECOND
            return x if form is self.form or not unit else np.floor(form.comparable(x) / unit)
        if self.form is not None and self.form.measure != "numbers":
            return self._of_typed(values, self.form)
        return numbers(values, unit)

    def _of_typed(self, values: Series, form: Form) -> Floats:
        """Dates, times or durations in memory as the numbers of a form."""
        if arrow.is_measured(values.dtype):
            return form.from_comparable(numbers(values, 0) * SECOND)
        if is_date(values) or str(values.dtype).startswith("date"):
            return form.from_comparable(numbers(values, 1))
        return form.numbers(whole_texts(values, form))

    def comparable(self, values: Series) -> Floats:
        """Values on a scale that columns of the same measure share: dates in microseconds since 1970."""
        x, unit = self.numbers(values), self.microseconds
        return self.form.comparable(x) if self.form is not None else x * unit if unit else x

    def written(self, values: Series) -> Series:
        """Values as they are written in the data; unchanged if they are so already, or have no particular form."""
        return values if is_text(values) else self.rewritten(values)

    def rewritten(self, values: Series) -> Series:
        """Values as `written`, and text in one way where there are several to write it."""
        whole = self.dtype.lower().startswith(("int", "uint"))  # such as 20230623
        if self.form is None or (whole and self.form.measure != "numbers"):
            return values
        import pandas

        return pandas.Series(self.form.texts(self.numbers(values)), values.index, name=values.name)

    @property
    @abstractmethod
    def width(self) -> int:
        """Number of codes; 0 if the column is not learned."""

    @property
    def bare_codes(self) -> int | None:
        """Number of the first codes that have no scalar; None if no code has one."""
        return None

    @abstractmethod
    def encode(self, values: Series) -> tuple[Codes, Floats]:
        """Codes and scalars, both (n,)."""

    @abstractmethod
    def decode(self, codes: Codes, scalars: Floats, random: Floats, start: int = 0) -> Any:
        """An array of values from codes, scalars and random numbers in [0, 1), each (n,).

        Args:
            start: number of rows decoded before these.
        """

    def code(self, value: Any) -> int:
        """The code of a requested value: a level as it is typed, or a number.

        Raises:
            InputError: if no row can have it.
        """
        raise InputError(
            f"{self.name}={value} cannot be requested: {self.name!r} is an identifier; choose another column"
        )
