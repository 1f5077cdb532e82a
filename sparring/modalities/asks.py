"""What samples can be asked for. The command line, the server's schema and the studio's form are made from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from torch import Tensor

from sparring.errors import InputError

Type = Literal["string", "integer", "number", "boolean"]
TYPES: Mapping[Type, type] = {"string": str, "integer": int, "number": float}
MAX_TEXT = 1000  # characters of a value
MAX_VALUES = 100  # values of an ask that takes several


@dataclass(frozen=True)
class Field:
    """A property that a value of an ask is a condition on, such as a column of a table.

    Attributes:
        name: of the property.
        form: "condition", or "file" or "text" for something that is given: `NAME=FILE` or `NAME=TEXT`.
        choices: values of the condition `NAME=VALUE`; () if the condition is a range: `NAME>=LOW`, `NAME<=HIGH`.
        low, high: the smallest and the largest value in the data, as they are typed.
    """

    name: str
    choices: tuple[str, ...] = ()
    low: str = ""
    high: str = ""
    form: Literal["condition", "file", "text"] = "condition"


@dataclass(frozen=True)
class Ask:
    """One thing that samples can be asked for: a class, conditions on columns, a length.

    Attributes:
        name: of the option, the JSON property and the keyword argument.
        help: one sentence for the user.
        type: of a value.
        many: True if several values may be given. They may also be given as a mapping of names to values.
        choices: the values that exist; () if any value may be given.
        low, high: bounds of a number, or None.
        examples: values as they are typed.
        fields: properties that values are conditions on, for forms with an input for each; () if values are free text.
    """

    name: str
    help: str
    type: Type = "string"
    many: bool = False
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    examples: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()

    def parse(self, texts: Sequence[str]) -> Any:
        """The value that was typed, on a command line or in the query of a request.

        Raises:
            InputError: if it has the wrong type, or there are several where one is expected.
        """
        values = [self._value(text) for text in texts]
        if self.many:
            return values
        if len(values) != 1:
            raise InputError(f"{self.name} was given {len(values)} times; give it once")
        return values[0]

    def _value(self, text: str) -> Any:
        if self.type == "boolean":
            if text not in ("true", "false"):
                raise InputError(f"{self.name}={text} is neither true nor false")
            return text == "true"
        try:
            return TYPES[self.type](text)
        except ValueError:
            words = {"integer": "a whole number", "number": "a number"}
            raise InputError(f"{self.name}={text} is not {words.get(self.type, self.type)}") from None

    def check(self, value: Any) -> None:
        """Refuse a number that is out of range, and a truth value that is none.

        Raises:
            InputError: if it is.
        """
        if self.type == "boolean" and not isinstance(value, bool):
            raise InputError(f"{self.name}={value} is neither true nor false")
        if self.type not in ("integer", "number"):
            return
        right = isinstance(value, int if self.type == "integer" else int | float) and not isinstance(value, bool)
        low, high = self.low, self.high
        if not right or (low is not None and value < low) or (high is not None and value > high):
            bounds = f"from {low:,.0f} to {high:,.0f}" if low is not None and high is not None else f"a {self.type}"
            raise InputError(f"{self.name}={value} is out of range; it must be {bounds}")

    def schema(self) -> dict[str, Any]:
        """JSON schema of the value."""
        one: dict[str, Any] = {"type": self.type}
        if self.type == "string":
            one["maxLength"] = MAX_TEXT
        one |= {key: bound for key, bound in (("minimum", self.low), ("maximum", self.high)) if bound is not None}
        one |= {"enum": list(self.choices)} if self.choices else {}
        if not self.many:
            return {**one, "description": self.help}
        listed = {"type": "array", "items": one, "maxItems": MAX_VALUES}
        mapped = {"type": "object", "maxProperties": MAX_VALUES}
        return {"anyOf": [one, listed, mapped], "description": self.help}


@dataclass(frozen=True)
class Request:
    """What samples are asked for, as the game takes it.

    Attributes:
        condition: as `Modality.draw_conditions` takes it: of one sample as G takes it, negative where it is free, or
            the rows that conditions are drawn from; None if nothing is asked.
        rules: conditions that every returned sample must satisfy; each has `holds(items)` and `text`, and may have
            `seen(items)`, what samples that were drawn in vain have of it, and `of_all`, True if it is about all
            samples together.
        length: steps of a sample, for kinds of any length; None for the length that was trained on.
        every: steps of the training data from one step of a sample to the next, for kinds that change continuously.
        beginnings: codes (m, length) of which half of the samples begin with one each, -1 after its end; None to draw
            all of a sample. Only games of sequences follow it.
        seeds: parts of the latents that all samples share, and the seed that each is drawn from.
        finish: changes samples in the user's units before they are returned; None to return them as they are.
        notes: what the user should know about what was asked, one line each.
        alone: True if samples of other requests cannot be generated in the same batch.
    """

    condition: Tensor | None = None
    rules: tuple[Any, ...] = ()
    length: int | None = None
    every: float = 1.0
    beginnings: Tensor | None = None
    seeds: Mapping[str, int] = field(default_factory=dict)
    finish: Callable[[Any], Any] | None = None
    notes: tuple[str, ...] = ()
    alone: bool = False

    def finished(self, items: Any) -> Any:
        """Samples in the user's units as they are returned."""
        return items if self.finish is None else self.finish(items)
