"""A model on disk: its weights, and JSON that describes the recipe and the modality; no code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from math import prod
from pathlib import Path
from typing import Any, TypedDict

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

import sparring
from sparring import recipes, signing
from sparring.data.addresses import shown
from sparring.errors import InputError, one_line, similar_path
from sparring.files import as_json, resolved, write_bytes
from sparring.folders import output_folder
from sparring.games.game import Game
from sparring.json_files import known_fields, mismatch, parse_json, read_json
from sparring.memory import Budget
from sparring.modalities import Modality
from sparring.recipes.base import Recipe
from sparring.recipes.base.recipe import RENAMED


class Described(TypedDict):
    """What `describe` writes."""

    format: int
    sparring: str
    recipe: str
    fields: dict[str, Any]
    kind: str
    modality: dict[str, Any]


class About(TypedDict, total=False):
    """The record of a training. Exported files have a part of it, and a model that was not trained has none."""

    name: str
    items: int
    step: int
    seconds: float
    parameters: dict[str, int]
    scores: dict[str, float]
    data: str
    fingerprint: str
    pruned: float


class OfModel(Described):
    """The description of a model."""

    about: About


FORMAT = 2  # of model folders and run folders
MODEL = "model"  # in the marker of a model's folder
SINGLE = ".safetensors"  # of a model in one file
FILES = "model.json", "weights.safetensors"  # of a model's folder
MAX_LISTED = 4  # models in an error message
MAX_WEIGHT = 1e20
# Numbers that nets may have before their weights are read: as many times those of the file, from which 95% of the
# channels may have been pruned.
MAX_NARROWED, MIN_NUMBERS = 400, 2**24
ADVICE = "if you trust its code, add --trust-code (in Python: trust=True)"


def describe(recipe: Recipe[Any], modality: Modality) -> dict[str, Any]:
    """Recipe and fitted modality as JSON."""
    return {
        "format": FORMAT,
        "sparring": sparring.__version__,
        "recipe": recipe.source,
        "fields": asdict(recipe),
        "kind": modality.kind,
        "modality": asdict(modality),
    }


def portable(content: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """What `describe` wrote, without paths of the machine that the model was trained on, and without credentials in
    addresses. A recipe file that it names is not run: of its fields and its modality, absolute paths are found by their
    form.

    Args:
        path: as for `restore`.

    Raises:
        InputError: as `restore` does.
    """
    if _is_file(content["recipe"]):
        parts = {key: {name: unplaced(value) for name, value in content[key].items()} for key in ("fields", "modality")}
        found = {**content, **parts, "recipe": Path(content["recipe"]).name}
    else:
        recipe, modality = restore(content, path)
        found = {**content, "fields": asdict(recipe.portable()), "modality": asdict(modality.portable())}
    if "data" in content.get("about", {}):
        found["about"] = {**content["about"], "data": unplaced(content["about"]["data"])}
    return found


def unplaced(value: Any) -> Any:
    """The last part of an absolute path, and an address as it may be shown; any other value unchanged."""
    if not isinstance(value, str):
        return value
    return Path(value).name if Path(value).is_absolute() else shown(value)


def restore(
    content: Mapping[str, Any], path: Path, trust: bool = False, given: Recipe[Any] | None = None, advice: str = ADVICE
) -> tuple[Recipe[Any], Modality]:
    """The recipe and the modality that `describe` wrote.

    Args:
        path: the file that the content comes from.
        trust: also run the recipe file that the content names.
        given: the recipe that the user gave, which is used in place of a recipe file of the same name.
        advice: what the user should do if the content names a recipe file that may not be run.

    Raises:
        InputError: if another version of Sparring wrote it, it is damaged, or it names a recipe file that the user
            neither gave nor trusts.
    """
    if content.get("format") != FORMAT:
        raise InputError(
            f"{path} has format {content.get('format')}, written by sparring {content.get('sparring')}; "
            f"this is sparring {sparring.__version__}, which reads format {FORMAT}"
        )
    if problem := mismatch(content, Described):
        raise InputError(f"{path} is damaged: {problem}")
    source = content["recipe"]
    found = _named(source, path, trust, given, advice)
    try:
        recipe = found.set({RENAMED.get(name, name): value for name, value in content["fields"].items()})
    except InputError as error:
        whose, which = (found.source, "") if _is_file(source) else ("Sparring", f" ({content['sparring']})")
        problem = str(error).partition("; ")[0]  # what the user should do about it is another thing here
        raise InputError(
            f"{path} was written by another version of {whose} and cannot be read: {problem}; use that version{which}, "
            "or train again"
        ) from error
    with reading(path):
        modality = _restored(recipe.modality(content["kind"]), content["modality"], path)
        if not all(side > 0 for side in modality.shape):
            raise InputError(f"{path} is damaged: its samples have shape {modality.shape}")
        return recipe, modality


def _restored(modality: Modality, stored: Mapping[str, Any], path: Path) -> Modality:
    """A modality with the values that were stored of it."""
    values = known_fields(type(modality), stored, str(path))
    try:
        return replace(modality, **values)
    except InputError as error:
        raise InputError(f"{path} is damaged: {error}") from error


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turns any error that values of a damaged file lead to into an `InputError`."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # of any code that such values reach
        raise InputError(f"{path} is damaged, or of another version: {one_line(error)}") from error


def _is_file(source: str) -> bool:
    return source.endswith(".py")


def _named(source: str, path: Path, trust: bool, given: Recipe[Any] | None, advice: str) -> Recipe[Any]:
    """The recipe that a file names. Only here does a name that was read from a file become a recipe: it means one of
    Sparring's own, and never runs another file unless the user gave or trusts that.
    """
    if not _is_file(source):
        if given is not None and given.own_file:
            raise InputError(f"{path} is of Sparring's recipe {source!r}, not of {given.source}; leave --recipe out")
        return recipes.find(source)
    name = Path(source).name
    if given is not None and given.own_file and Path(given.source).name == name:
        return type(given)()
    if not trust:
        raise InputError(f"{path} is of the recipe file {source}, which is not run unless you say so; {advice}")
    if signing.is_asked() and path.suffix == SINGLE:  # its signature covers nothing that lies beside it
        raise InputError(
            f"{path} is of the recipe file {source}, which the signature of a model in one file does not cover; "
            "ask its maker for the folder of the model, with the recipe file in it"
        )
    places = [path.parent / source, path.parent / name, path.parent.parent / name]
    file = next((place for place in places if place.is_file()), None)
    if file is None:
        raise InputError(f"{path} needs its recipe file {source}, which is not there; copy {name} to {path.parent}")
    if signing.is_asked() and not resolved(file).is_relative_to(resolved(path.parent)):
        raise InputError(f"{file} is no part of the signed model; its maker has to copy it to {path.parent}, and sign")
    return recipes.find(str(file))


def write(
    place: Path, described: Mapping[str, Any], weights: Mapping[str, Tensor], half: bool, older: Collection[str] = ()
) -> None:
    """Write a model to a folder, or to one file if the path ends in `.safetensors`.

    Args:
        described: the recipe, the modality and the record of the training, as JSON.
        half: store weights in 16 bits.
        older: names of the files of a model that is replaced, if an older version may have written it.
    """
    tensors = {name: _halved(t) if half else t.contiguous() for name, t in weights.items()}
    if place.suffix == SINGLE:
        write_bytes(place, safetensors.torch.save(tensors, {"model.json": json.dumps(described)}))
        return
    with output_folder(place, MODEL, older) as part:
        part.mkdir()
        for name, content in zip(FILES, (as_json(described).encode(), safetensors.torch.save(tensors)), strict=True):
            write_bytes(part / name, content)


def identity(weights: Mapping[str, Tensor]) -> str:
    """SHA-256 of a model's weights, in hexadecimal: that of its file `weights.safetensors`."""
    saved = safetensors.torch.save({name: weight.cpu().contiguous() for name, weight in weights.items()})
    return hashlib.sha256(saved).hexdigest()


def _halved(tensor: Tensor) -> Tensor:
    """In 16 bits, if all values are in range."""
    fits = tensor.is_floating_point() and bool((tensor.abs() <= torch.finfo(torch.float16).max).all())
    return (tensor.half() if fits else tensor).contiguous()


def _models_beside(path: Path) -> str:
    """The end of an error message about a folder without a model: the model that is meant, or those that there are."""
    if close := similar_path(path, _holds_a_model):
        return close
    try:
        found = sorted(str(entry) for entry in path.parent.iterdir() if _holds_a_model(entry))
    except OSError:
        return ""
    more = ", ..." if len(found) > MAX_LISTED else ""
    return f"; models beside it: {', '.join(found[:MAX_LISTED])}{more}" if found else ""


def _holds_a_model(path: Path) -> bool:
    return any((folder / "model.json").is_file() for folder in (path, path / "model")) or path.suffix == SINGLE


def read(path: Path, trust: bool = False) -> tuple[Recipe[Any], Modality, Game, Mapping[str, Any]]:
    """The model in a folder or a file, or in a run's folder.

    Args:
        trust: run the recipe file that the model names, if it is not of Sparring's own recipes.

    Returns:
        Recipe, modality, the game on the CPU, and the record of the training.

    Raises:
        InputError: if there is none, it is damaged, another version wrote it, or it has to be signed and is not.
    """
    folder = path / "model" if (path / "model").is_dir() else path
    single = folder.suffix == SINGLE and folder.is_file()
    if not single and not (folder / "model.json").is_file():
        unfinished = (folder / "recipe.json").is_file()
        hint = "; train it to the end with --resume" if unfinished else _models_beside(path)
        raise InputError(f"there is no model in {path}{hint}")
    signing.check(folder)
    weights = folder if single else folder / "weights.safetensors"
    described = weights if single else folder / "model.json"
    content = _within(weights) if single else read_json(described, dict[str, Any])
    recipe, modality = restore(content, described, trust)
    if problem := mismatch(content, OfModel):
        raise InputError(f"{described} is damaged: {problem}")
    limit = max(MIN_NUMBERS, MAX_NARROWED * _numbers(weights)), f"{MAX_NARROWED} times the numbers in {weights}"
    fits = Budget(f"{described}: recipe {recipe.name!r}", "one of the two files is damaged", limit=limit)
    with reading(described), recipe.running(), fits:
        game = recipe.build(modality, copies=2)  # and those of the file
    try:
        tensors = safetensors.torch.load_file(weights, device="cpu")
        if "pruned" in content["about"]:
            _narrow(game, tensors)
        game.load_state_dict(tensors)
        if huge := [name for name, tensor in tensors.items() if not _is_moderate(tensor)]:
            raise InputError(f"{weights} is damaged: {huge[0]} holds numbers that are not finite, or huge")
    except (OSError, SafetensorError, RuntimeError, AttributeError) as error:
        raise InputError(f"{weights} is damaged or of another recipe: {_first_reason(error)}") from error
    return recipe, modality, game, content["about"]


def _numbers(weights: Path) -> int:
    """How many numbers a file of weights holds, from its header."""
    try:
        with safetensors.safe_open(weights, "pt") as file:
            return sum(prod(file.get_slice(name).get_shape()) for name in file.keys())  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise InputError(f"{weights} is damaged or of another recipe: {one_line(error)}") from error


def _is_moderate(tensor: Tensor) -> bool:
    """True unless a number is NaN, infinite or so large that nets would make it so."""
    return not tensor.is_floating_point() or bool((tensor.abs() <= MAX_WEIGHT).all())


def _first_reason(error: Exception) -> str:
    """An error of loading weights on one line, without the headline that PyTorch puts above the reasons."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[1] if len(lines) > 1 and lines[0].startswith("Error(s) in loading") else one_line(error)


def _within(path: Path) -> dict[str, Any]:
    """The description of a model that is stored in its file of weights."""
    try:
        with safetensors.safe_open(path, "pt") as file:
            found = (file.metadata() or {}).get("model.json")
        if found is None:
            raise InputError(f"{path} holds only weights; give a file that sparring export wrote")
        return parse_json(found, dict[str, Any], str(path))
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path} is damaged: {one_line(error)}") from error


def _narrow(game: Game, tensors: Mapping[str, Tensor]) -> None:
    """Change the shapes of a game's weights to those of a pruned model."""
    known = game.state_dict()
    for name, tensor in tensors.items():
        if name in known and known[name].shape != tensor.shape:
            path, _, own = name.rpartition(".")
            layer, empty = game.get_submodule(path), torch.empty_like(tensor, dtype=known[name].dtype)
            setattr(
                layer, own, torch.nn.Parameter(empty) if own in dict(layer.named_parameters(recurse=False)) else empty
            )
