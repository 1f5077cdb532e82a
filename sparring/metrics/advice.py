"""Settings of a recipe that may help against a problem."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

CHOSEN = "N"  # a number that the user chooses


def untried(settings: Iterable[str], fields: Mapping[str, object]) -> list[str]:
    """Those of some settings that a recipe can be trained with, and has not been.

    Args:
        settings: FIELD=VALUE, as they are typed. A number counts as tried if the recipe's is as large; N stands for one
            that the user chooses.
        fields: names and values of the recipe's fields; None for those that depend on the data.
    """
    found = []
    for setting in settings:
        name, _, value = setting.partition("=")
        given = fields.get(name)
        if given is not None and not _tried(given, value):
            found.append(setting)
    return found


def _tried(given: object, value: str) -> bool:
    if isinstance(given, int | float) and not isinstance(given, bool):
        return value != CHOSEN and given >= float(value)
    return str(given).lower() == value.lower()
