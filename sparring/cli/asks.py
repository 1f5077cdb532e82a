"""What samples can be asked for, as options of the command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sparring.errors import InputError, nearest
from sparring.modalities import Ask, Modality, kinds
from sparring.modalities.conditional import LABEL

SAMPLE_OPTIONS = ("n", "out", "seed", "truncation", "device", "worker", "ranks", "force", "mark", "marks", "trust-code")


def every_ask() -> list[Ask]:
    """What samples of some kind of data can be asked for, each once."""
    known = {ask.name: ask for kind in kinds() for ask in (LABEL, *kind().asks)}
    return list(known.values())


def parse_asks(
    arguments: Sequence[str], modality: Modality, command: str = "sample", options: Sequence[str] = SAMPLE_OPTIONS
) -> dict[str, Any]:
    """Values of a model's asks from the arguments that no option has taken: `--label cat`, `--where=age>30`."""
    return parsed(arguments, modality.asks, every_ask(), command, options)


def parsed(
    arguments: Sequence[str], asks: Sequence[Ask], every: Sequence[Ask], command: str, options: Sequence[str]
) -> dict[str, Any]:
    """Values of asks from the arguments that no option has taken.

    Args:
        asks: of the model.
        every: of all kinds of data; the value of one that the model lacks is returned too.
        command: the command that got the arguments, for messages.
        options: names of its other options, for messages.

    Raises:
        InputError: for an argument that is no such option.
    """
    offered = {ask.name: ask for ask in asks}
    others = {ask.name: ask for ask in every}
    texts: dict[str, list[str]] = {}
    rest = list(arguments)
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        known = name.removeprefix("--")
        if not name.startswith("--") or known not in {**others, **offered}:
            names = sorted({*others, *offered, *options})
            hint = nearest(known, names) if name.startswith("-") else "give one RUN, and options by name"
            raise InputError(f"{name} is not an option of sparring {command}; {hint}")
        if not equals and not rest:
            raise InputError(f"{name} needs a value; see sparring {command} --help")
        texts.setdefault(known, []).append(value if equals else rest.pop(0))
    return {name: {**others, **offered}[name].parse(values) for name, values in texts.items()}
