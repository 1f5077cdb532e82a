"""A form for what samples can be asked for, generated from `Modality.asks`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from sparring.modalities import Ask, Modality
from sparring.modalities.asks import Field

BOOLEANS = ("true", "false")


@dataclass(frozen=True)
class Entry:
    """A part of the form: an ask, or one field of an ask.

    Attributes:
        ask: that it belongs to.
        field: the property that a condition is about; None if the value is asked for as a whole.
    """

    ask: Ask
    field: Field | None = None

    @property
    def count(self) -> int:
        """Number of components: two for a range."""
        return 2 if self.field is not None and self.field.form == "condition" and not self.field.choices else 1


def choices(values: Sequence[str], free: str = "any") -> list[tuple[str, str]]:
    """Choices of a dropdown as (label, value). The first one, whose value is "", asks for nothing.

    Args:
        free: its label.
    """
    return [(free, ""), *((value, value) for value in values)]


def field_names(modality: Modality) -> list[str]:
    """Names of all fields, from which the user chooses those that the form shows."""
    return [field.name for ask in modality.asks for field in ask.fields]


def entries(modality: Modality, chosen: Sequence[str]) -> list[Entry]:
    """The form: every ask without fields, and the chosen fields of the others.

    Args:
        chosen: names of fields; unknown ones are ignored.
    """
    plain = [Entry(ask) for ask in modality.asks if not ask.fields]
    fields = {field.name: Entry(ask, field) for ask in modality.asks for field in ask.fields}
    return [*plain, *(fields[name] for name in chosen if name in fields)]


def components(entry: Entry, key: str) -> list[gr.components.Component]:
    """The components of an entry. Their values stay when other entries come and go.

    Args:
        key: identifies the form.
    """
    if entry.field is None:
        return [ask_component(entry.ask, f"{key}/{entry.ask.name}", f"ask-{entry.ask.name}")]
    return _field_components(entry.ask, entry.field, f"{key}/{entry.ask.name}/{entry.field.name}")


def ask_component(ask: Ask, key: str, name: str, **settings: Any) -> gr.components.Component:
    """The component of an ask without fields.

    Args:
        key: identifies it when the form is made again.
        name: of the element.
        settings: further ones of the component.
    """
    settings |= {"label": ask.name.capitalize(), "info": ask.help, "key": key, "elem_id": name, "interactive": True}
    values = BOOLEANS if ask.type == "boolean" else ask.choices
    if values and ask.many:
        return gr.Dropdown(list(values), value=[], multiselect=True, **settings)
    if values:
        return gr.Dropdown(choices(values), value="", **settings)
    if ask.type in ("integer", "number") and not ask.many:
        return gr.Number(None, placeholder=", ".join(ask.examples), **settings)
    lines = 3 if ask.many else 1
    placeholder = "\n".join(ask.examples) if ask.many else ", ".join(ask.examples)
    return gr.Textbox("", lines=lines, placeholder=placeholder, **settings)


def _field_components(ask: Ask, field: Field, key: str) -> list[gr.components.Component]:
    name = f"ask-{ask.name}-{field.name}"
    settings: dict[str, Any] = {"label": field.name, "key": key, "elem_id": name, "interactive": True}
    if field.form == "file":
        return [gr.File(type="filepath", height=120, **settings)]
    if field.form == "text":
        return [gr.Textbox("", **settings)]
    if field.choices:
        return [gr.Dropdown(choices(field.choices), value="", **settings)]
    with gr.Row():
        return [
            gr.Textbox(
                "", label=f"{field.name} from" if end == "from" else "to", placeholder=bound, key=f"{key}/{end}",
                min_width=100, elem_id=f"{name}-{end}", interactive=True,
            )
            for end, bound in (("from", field.low), ("to", field.high))
        ]  # fmt: skip


def asked(form: Sequence[Entry], values: Sequence[Any]) -> dict[str, Any]:
    """What samples are asked for: keyword arguments of `Model.sample`.

    Args:
        values: of the components of all entries.

    Raises:
        InputError: if a value has the wrong type.
    """
    asks = {entry.ask.name: entry.ask for entry in form}
    texts: dict[str, list[str]] = {name: [] for name in asks}
    for entry, given in _filled(form, values):
        texts[entry.ask.name] += _texts(entry, given)
    return {name: asks[name].parse(given) for name, given in texts.items() if given}


def described(form: Sequence[Entry], values: Sequence[Any]) -> list[str]:
    """What is asked for, in words; files by their names.

    Args:
        values: as for `asked`.
    """
    found = []
    for entry, given in _filled(form, values):
        if entry.field is not None and entry.field.form == "file":
            found += [f"{entry.field.name}={Path(value).name}" for value in given if value]
        else:
            found += [text if entry.ask.many else f"{entry.ask.name}={text}" for text in _texts(entry, given)]
    return found


def _filled(form: Sequence[Entry], values: Sequence[Any]) -> Iterator[tuple[Entry, Sequence[Any]]]:
    """Each entry with the values of its components."""
    left = list(values)
    for entry in form:
        given, left = left[: entry.count], left[entry.count :]
        yield entry, given


def _texts(entry: Entry, values: Sequence[Any]) -> list[str]:
    """The values of an entry as they would be typed on the command line; [] if nothing is asked for."""
    if entry.field is not None:
        operators = ("=",) if entry.count == 1 else (">=", "<=")
        given = [_text(value) for value in values]
        return [f"{entry.field.name}{op}{text}" for op, text in zip(operators, given, strict=True) if text]
    (value,) = values
    if isinstance(value, list):  # of a dropdown with several choices
        return [str(one) for one in value]
    lines = _text(value).splitlines() if entry.ask.many else [_text(value)]
    return [line.strip() for line in lines if line.strip()]


def _text(value: Any) -> str:
    """A value of a component as text; "" if it is empty."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()
