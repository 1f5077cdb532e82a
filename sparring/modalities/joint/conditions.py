"""What of an item is given: at random in training, and as the user asks."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from sparring.errors import InputError, nearest
from sparring.files import describe_error
from sparring.layers.parts import Parts
from sparring.modalities.asks import Ask, Field, Request
from sparring.modalities.joint.parts import Part, RowPart, TextPart
from sparring.modalities.tables.asks import WHERE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sparring.modalities.joint.tuples import Tuples
    from sparring.modalities.tables.conditions import Condition

# Share of a batch's items of which the row is given, and nothing else: pictures are learned from real rows long before
# generated ones are good.
ROW = 0.5
NOTHING = 0.3  # share of the other items of which nothing is given
FREE = 0.5  # share of the parts that are not given, of the rest
WHOLE = 0.5  # share of the given parts of which every field is given


def check_part(name: str, tuples: Tuples, data: str) -> None:
    """Check that a data set has a part.

    Raises:
        InputError: if it has not.
    """
    if name not in tuples.parts:
        have = ", ".join(tuples.parts)
        raise InputError(f"{data!r} has no part {name!r}, which the model was trained with; it has {have}")


# In training.


def random_fields(layout: Parts, present: Tensor) -> Tensor:
    """Fields that are given, at random, (n, fields).

    Args:
        present: which parts items have, (n, parts).
    """
    n, parts, device = *present.shape, present.device
    given = (torch.rand(n, parts, device=device) >= FREE) & (torch.rand(n, 1, device=device) >= NOTHING)
    part_of_field = torch.arange(parts).repeat_interleave(torch.tensor(layout.fields)).to(device)
    whole = torch.rand(n, parts, device=device) < WHOLE
    some = torch.rand(n, len(part_of_field), device=device) < torch.rand(n, 1, device=device)
    single = torch.tensor([count == 1 for count in layout.fields], device=device)
    fields = given[:, part_of_field] & ((whole | single)[:, part_of_field] | some)
    if any(layout.owners):
        row = torch.tensor([bool(owners) for owners in layout.owners], device=device)[part_of_field]
        fields = torch.where(torch.rand(n, 1, device=device) < ROW, row, fields)
    return (fields & (present > 0)[:, part_of_field]).float()


# Asking.


def nothing(layout: Parts) -> Tensor:
    """The condition of an item of all parts of which nothing is given, (condition_width,)."""
    fields, parts = sum(layout.fields), len(layout.shapes)
    return torch.cat([torch.zeros(fields), torch.ones(parts), torch.zeros(layout.width)])


@dataclass(frozen=True)
class GivenAsk(Ask):
    """Parts that are given, each as PART=FILE on the command line. Over HTTP, files are not read: the content of one is
    sent in Base64, and a text as it is.

    Attributes:
        texts: names of the parts that are texts.
    """

    texts: tuple[str, ...] = ()

    def parse(self, texts: Sequence[str]) -> Any:
        """The same values, with the content of a file in place of its path: in Base64, or as it is for a text.

        Raises:
            InputError: if a file cannot be read, or that of a text is not in UTF-8.
        """
        return [self._with_content(text) for text in texts]

    def _with_content(self, text: str) -> str:
        name, equals, value = text.partition("=")
        if not equals or not Path(value).is_file():
            return text
        content = _content(Path(value))
        if name not in self.texts:
            return f"{name}={base64.b64encode(content).decode()}"
        try:
            return f"{name}={content.decode()}"
        except UnicodeDecodeError as error:
            raise InputError(f"given {text} is not text in UTF-8; convert the file") from error

    def schema(self) -> dict[str, Any]:
        texts = {"type": "string"}
        return {
            "anyOf": [texts, {"type": "array", "items": texts}, {"type": "object"}],
            "description": f"{self.help} PART=CONTENT or {{PART: CONTENT}}: a file in Base64, or a text.",
        }


GIVEN = GivenAsk(
    "given", "Parts of the samples that are given: PART=FILE, or PART=TEXT for a text. May be repeated.", many=True,
    examples=("picture=FILE",),
)  # fmt: skip


@dataclass(frozen=True)
class PartRule:
    """A rule of one part that whole samples must satisfy.

    Attributes:
        part: its name.
        rule: of the part's own kind of data.
    """

    part: str
    rule: Condition

    @property
    def text(self) -> str:
        return self.rule.text

    def holds(self, items: Any) -> NDArray[Any]:
        """True for the samples that satisfy it, (n,)."""
        return self.rule.holds(items.parts[self.part])


def asks(parts: Sequence[Part]) -> tuple[Ask, ...]:
    """What samples of these parts can be asked for; of any if there are none, since they are not fitted."""
    if not parts:
        return (WHERE, GIVEN)
    rows = [ask for part in parts if isinstance(part, RowPart) for ask in part.table.asks]
    files = [part.name for part in parts if not isinstance(part, RowPart)]
    texts = tuple(part.name for part in parts if isinstance(part, TextPart))
    forms = tuple(Field(name, form="text" if name in texts else "file") for name in files)
    return (*rows, replace(GIVEN, examples=tuple(f"{name}=FILE" for name in files[:1]), fields=forms, texts=texts))


def requested(parts: Sequence[Part], layout: Parts, asked: Mapping[str, Any]) -> Request:
    """The request of checked entries of `asks`.

    Raises:
        InputError: if something cannot be given, or no such column exists.
    """
    fields = [torch.zeros(1, count) for count in layout.fields]
    values = [torch.zeros(1, *shape) for shape in layout.shapes]
    rules: list[PartRule] = []
    for i, part in enumerate(parts):
        if isinstance(part, RowPart) and "where" in asked:
            found: tuple[Condition, ...] = part.table.request(where=asked["where"]).rules
            rules += [PartRule(part.name, rule) for rule in found]
            fields[i], values[i] = _columns(part, found)
    for name, value in _pairs(asked.get(GIVEN.name, ())):
        names = [part.name for part in parts]
        if name not in names:
            raise InputError(f"given {name}: items have no such part; {nearest(name, names)}")
        i = names.index(name)
        content, shown = _given(parts[i], value)
        fields[i], values[i] = torch.ones_like(fields[i]), parts[i].given(content, shown)
    if not any(bool(own.any()) for own in fields) and not rules:
        return Request()
    flat = torch.cat([own.flatten(1) for own in values], 1)
    condition = layout.condition(torch.cat(fields, 1), torch.ones(1, len(parts)), flat)
    return Request(condition[0], tuple(rules))


def _columns(part: RowPart, rules: Sequence[Condition]) -> tuple[Tensor, Tensor]:
    """The columns that rules give a value, (1, columns), and a row with these values, (1, *shape)."""
    import pandas

    names = list(part.fields)
    codes = torch.zeros(1, len(names) + len(part.table.scalars))
    given = torch.zeros(1, len(names))
    for rule in rules:
        column = next((column for column in part.table.learned if column.name == rule.column), None)
        if rule.operator != "=" or rule.other or column is None:
            continue
        place = names.index(rule.column)
        codes[0, place], given[0, place] = column.code(rule.value), 1
        if column.bare_codes is not None and not isinstance(rule.value, str):
            scalar = [owner for owner, _ in part.table.scalars].index(place)
            codes[0, len(names) + scalar] = float(column.encode(pandas.Series([rule.value]))[1][0])
    return given, part.values(codes)


def _pairs(given: Any) -> list[tuple[str, Any]]:
    """Names of parts and what is given of them."""
    if isinstance(given, Mapping):
        return list(given.items())
    pairs = []
    for text in [given] if isinstance(given, str) else given:
        name, equals, value = str(text).partition("=")
        if not equals:
            raise InputError(f"given {text!r} names no part; write PART=FILE")
        pairs.append((name, value))
    return pairs


def _given(part: Part, value: Any) -> tuple[bytes, str]:
    """The content that is given of a part, and how messages call it."""
    if isinstance(value, Path):
        return _content(value), str(value)
    if isinstance(value, bytes):
        return value, "bytes"
    if isinstance(part, TextPart):  # many words are Base64 too
        return str(value).encode(), "text"
    try:
        return base64.b64decode(str(value), validate=True), "a file in Base64"
    except (binascii.Error, ValueError) as error:
        raise InputError(
            f"given {part.name}={str(value)[:80]} is no file, and no content of one in Base64; give the path of a file"
        ) from error


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"given {path} cannot be read: {describe_error(error)}") from error
