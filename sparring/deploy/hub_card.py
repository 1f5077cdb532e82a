"""The model card of a published model: the card of its run, with what the Hub reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sparring.errors import needs
from sparring.evaluation.report import HEADING
from sparring.metrics.results import StoredNumber, read_numbers
from sparring.model import Model
from sparring.model.hub import Address
from sparring.runs.card import card
from sparring.runs.folder import RunFolder

LIBRARY = "sparring"
OTHER_TASK = "other"  # in the results of models for whose task the Hub has no name
UNSTATED = "not stated by the publisher"


@dataclass(frozen=True)
class Statements:
    """What only the publisher knows.

    Attributes:
        license: of the weights, as the Hub names it; "" if it is not stated.
        data_license: of the training data; "" if it is not stated.
        use: what the model is for, and what it is not for; "" for a general sentence.
    """

    license: str = ""
    data_license: str = ""
    use: str = ""


def hub_card(model: Model, run: RunFolder, where: Address, sheet: str, statements: Statements) -> str:
    """The card in Markdown, with metadata in YAML at the top.

    Args:
        model: without paths of this machine.
        run: the folder that it comes from, whose evaluation is copied.
        sheet: path of a sheet of samples in the repository; "" for none.
    """
    numbers = read_numbers(run.evaluation) if run.evaluation.is_file() else {}
    body = card(model.recipe, model.modality, model.about, str(where), sheet, curves="")
    words, data = model.modality.words, model.about["data"]
    verb = "Generates" if model.modality.source is None else "Transforms"
    use = statements.use or f"{verb} {words.items} like those of {data}. It was not evaluated for other purposes."
    lines = [
        "## Intended use", "", use, "",
        "## Licenses", "",
        f"- Weights: {statements.license or UNSTATED}.",
        f"- Training data ({data}): {statements.data_license or UNSTATED}.", "",
        *_evaluation(run, where),
    ]  # fmt: skip
    return f"---\n{_metadata(model, where, numbers, statements.license)}\n---\n\n{body}\n" + "\n".join(lines)


def _evaluation(run: RunFolder, where: Address) -> list[str]:
    """The section of the run's card, without its picture, which shows real items."""
    section = run.read_section(HEADING)
    if section is None:
        return []
    kept = [line for line in section if not line.startswith("![")]
    return [HEADING, "", *kept, "", f"`sparring verify {where} --data DATA` computes these numbers again.", ""]


def _metadata(model: Model, where: Address, numbers: Mapping[str, StoredNumber], license: str) -> str:
    """The metadata as YAML."""
    client = needs("huggingface_hub", "hub", "reads and writes models of the Hub")
    task, data = model.modality.hub_task, str(model.about["data"])
    results = [
        client.EvalResult(
            task_type=task or OTHER_TASK, dataset_type=data, dataset_name=data, metric_type=name,
            metric_value=round(number["value"], 6),
        )
        for name, number in numbers.items()
        if number["value"] is not None
    ]  # fmt: skip
    described = client.ModelCardData(
        library_name=LIBRARY, pipeline_tag=task or None, license=license or None, tags=["gan", model.recipe.name],
        model_name=where.name, eval_results=results or None,
    )  # fmt: skip
    return str(described.to_yaml())
