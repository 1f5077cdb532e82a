"""The model card, README.md in a run's folder."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from shlex import quote
from typing import Any

from sparring.console import clock
from sparring.data.addresses import shown
from sparring.modalities import Modality
from sparring.model.stored import unplaced
from sparring.privacy import promised
from sparring.recipes.base import Recipe
from sparring.runs.problems import Entry, describe

# What `sparring verify` finds again in a card.
SCORES = re.compile(
    r"^fid\[.+?\] (?P<score>\S+)(?: \(.+?\))?, real items have (?P<floor>\S+); diversity (?P<diversity>\S+) relative",
    re.MULTILINE,
)
PARAMETERS = re.compile(r"^\| parameters \| (.+) \|$", re.MULTILINE)


def _problems(entries: Sequence[Entry]) -> list[str]:
    """Problems noticed during training, one line each."""
    lines = [f"- step {entry['step']}: {describe(entry)}" for entry in entries]
    return ["Noticed during training:", "", *lines, ""] if lines else []


def _scores(scores: Mapping[str, float], modality: Modality, curves: str) -> list[str]:
    if not scores:
        return ["These samples have not been scored; look at the sheet before you use them."]
    earlier = f" (the weights of step {scores['step']:,.0f}, the best)" if "step" in scores else ""
    return [
        f"fid[{modality.features_name}] {scores['fid']:.3g}{earlier}, real items have {scores['floor']:.3g}; "
        f"diversity {scores['diversity']:.2f} relative to real items. The score compares "
        f"{modality.words.compared} of a few hundred samples: look at the sheet before you use "
        "them, and run `sparring evaluate` on thousands.",
        *_picture("curves", curves),
    ]


def _picture(what: str, path: str) -> list[str]:
    return ["", f"![{what}]({path})"] if path else []


def _privacy(about: Mapping[str, Any]) -> list[str]:
    """What the run promises about its data."""
    promise = promised(about)
    return [] if promise is None else [line for text in promise.lines(about["privacy"]["spent"]) for line in (text, "")]


def _sums(recipe: Recipe[Any], about: Mapping[str, Any]) -> str:
    """How a batch was divided, and whether the order in which the gradients of its parts were added, and what computed
    them, do not depend on the number of ranks.
    """
    equal = about.get("exact", False) and about["device"].startswith("cpu")
    order = "are equal on any number of ranks" if equal else "may differ by rounding with the number of ranks"
    return f"{recipe.shards} of {recipe.batch // recipe.shards} samples each; the weights {order}"


def _threads(used: Sequence[Sequence[int]]) -> str:
    """The numbers of threads that the weights depend on, by rounding."""
    (_, first), *changes = used
    return "; ".join([str(first), *(f"{number} from step {step:,} on" for step, number in changes)])


def card(
    recipe: Recipe[Any], modality: Modality, about: Mapping[str, Any], folder: str, sheet: str, curves: str
) -> str:
    """A model card in Markdown.

    Args:
        about: record of the training, as in `Model.about`.
        folder: path of the run, as the user would type it.
        sheet: path of a sheet of samples, relative to the folder; "" for none.
        curves: path of the curves, relative to the folder; "" for none.
    """
    source = unplaced(about["data"])
    paper = (type(recipe).__doc__ or "").strip().split("\n\n")
    rows = [
        ("data", f"{source}, {about['items']:,} items"),
        ("samples", f"{modality.words.items} of shape {tuple(modality.shape)}"),
        ("labels", ", ".join(modality.classes) or "not used"),
        *([("attributes", ", ".join(columns))] if (columns := modality.condition_columns) else []),
        ("steps", f"{about['step']:,} of {recipe.batch} samples, {about['plan']:.0%} of the plan"),
        *([("shards", _sums(recipe, about))] if recipe.shards > 1 else []),
        ("training time", f"{clock(about['seconds'])} on {about['device']} ({about['precision']})"),
        *([("threads", _threads(about["threads"]))] if about.get("threads") else []),
        ("parameters", ", ".join(f"{name} {count:,}" for name, count in about["parameters"].items())),
        ("seed", str(about["seed"])),
        ("versions", f"sparring {about['sparring']}, torch {about['torch']}"),
    ]
    fields = [
        f"| {name} | {shown(str(value))} | {what} |"
        for group in recipe.by_group().values()
        for name, value, what in group
    ]
    label = f" --label {modality.classes[0]}" if modality.classes else ""
    if columns:
        label = next(f" --{ask.name} {quote(ask.examples[0])}" for ask in modality.asks)
    suffix = modality.writers[0].suffix
    use = (
        f"apply {folder} input{suffix} -o output{suffix}"
        if modality.source is not None
        else f"sample {folder} -n 64 -o sheet.png{label}"
    )
    trust = " --trust-code" if recipe.own_file else ""
    return "\n".join(
        [
            f"# {recipe.name} on {source}",
            *_picture("samples", sheet),
            "",
            *paper[:2],
            "",
            "| | |",
            "|---|---|",
            *[f"| {name} | {value} |" for name, value in rows],
            "",
            *_problems(about["problems"]),
            *_scores(about["scores"], modality, curves),
            "",
            *_privacy(about),
            "```",
            f"sparring {use}{trust}",
            "```",
            "",
            "| field | value | description |",
            "|---|---|---|",
            *fields,
            "",
        ]
    )
