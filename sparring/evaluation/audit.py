"""`audit(run)` attacks a model as somebody would who wants to know what it was trained on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from sparring.console import Screen
from sparring.devices import resolve
from sparring.errors import InputError
from sparring.evaluation.audit_results import Audit
from sparring.evaluation.audit_targets import MadeFile, TrainedModel
from sparring.evaluation.auditor import Auditor
from sparring.evaluation.judge_file import check_kind, reader
from sparring.modalities import find
from sparring.model import Model, load


def audit(
    model: str | Path | Model,
    samples: int | None = None,
    features: Sequence[str] = (),
    device: str = "auto",
    seed: int = 0,
    quiet: bool = True,
    trust: bool = False,
) -> Audit:
    """Attack a model: infer which items it was trained on, from its samples and from its D.

    The attacker is strong: they have the model, the candidates, and real items that it was not trained on.

    Args:
        model: a model, or the folder of a run. Its training data must be unchanged.
        samples: number of samples that attacks use; by default as many as there are training items, but at least 1,000
            and at most 10,000.
        features: names, as for `evaluate`.
        device: where samples and features are computed.
        seed: of the samples.
        quiet: print nothing.
        trust: as for `sparring.load`.

    Raises:
        InputError: if the training data are missing, have changed, or hold out too few items.
    """
    place, screen = resolve(device), Screen(quiet)
    with torch.random.fork_rng():
        trained = model if isinstance(model, Model) else load(model, str(place), trust)
        return Auditor(TrainedModel(trained, samples, seed, place, screen), features, place, screen).run()


def audit_file(
    file: str | os.PathLike[str],
    against: str | os.PathLike[str],
    held: str | os.PathLike[str],
    recipe: str | None = None,
    samples: int | None = None,
    features: Sequence[str] = (),
    device: str = "auto",
    quiet: bool = True,
    **fields: Any,
) -> Audit:
    """Attack samples that any tool made: infer which items it was trained on.

    Args:
        file: the samples, in any format that data of the kind are read from.
        against: the items that the tool was trained on, all of them and no others.
        held: other real items of the same kind and origin, which the tool has not seen.
        recipe: name or `.py` file of the recipe that reads the data; by default the one that is recommended for them.
        samples: number of samples that attacks use; by default all of the file, but at most 10,000.
        features: names, as for `evaluate`.
        device: where features are computed.
        quiet: print nothing.
        fields: values of the recipe's fields, which may change how data are read (`size=64`, `columns=age,income`).

    Raises:
        InputError: if one of the three cannot be found or read, they are of different kinds, or items are too few.
    """
    place, screen = resolve(device), Screen(quiet)
    with torch.random.fork_rng():
        items, modality = reader(str(against), recipe, place, fields)
        if modality.source is not None:
            raise InputError(f"recipe {recipe} learns from pairs; audits are of what is generated from noise")
        made, others = find(file, [type(modality)]), find(held, [type(modality)])
        check_kind(made, modality, file, against)
        check_kind(others, modality, held, against)
        return Auditor(MadeFile(modality, made, items, others, samples, screen), features, place, screen).run()
