"""`import_model(peer, files)` turns weights that another project has published into a model."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

import sparring
from sparring.errors import InputError, nearest, one_line
from sparring.folders import check_folder
from sparring.json_files import read_json
from sparring.model import Model
from sparring.model.stored import MODEL
from sparring.recipes.peers import PEERS, Converted, Peer, State

# Formats that are not read, and why.
REFUSED = {
    "ctgan": "models of the CTGAN package are pickles of whole objects, which run code when they are read",
    "sdv": "SDV's synthesizers are pickles of whole objects, which run code when they are read",
    "stylegan3": "its networks are pickles that bring their own code",
}
RETRAIN = "train a model on the data instead (docs/coming-from.md)"
WRAPPERS = ("state_dict", "model", "net", "params_ema", "params")  # names under which files have a state
PARALLEL = "module."  # before names of states that were saved from several GPUs


def import_model(
    peer: str,
    files: Sequence[str | Path],
    out: str | Path,
    config: str | Path | None = None,
    force: bool = False,
) -> Model:
    """Turn published weights into a model, and write its folder.

    Nets that are not published, such as D, get random weights: samples and transformed files are those of the published
    model, but D's judgments mean nothing.

    Args:
        peer: name of the layout, one of `PEERS`.
        files: that hold the weights: of safetensors, or of `torch.save`, from which nothing but tensors is read.
        out: the folder, which all commands take as RUN.
        config: the JSON that lies beside them, for layouts that need it.
        force: overwrite another model in the folder.

    Raises:
        InputError: if a file cannot be read without running its code, or has another layout, or `out` exists.
    """
    layout = _layout(peer, files, config)
    folder = Path(out)
    check_folder(folder, MODEL, force)
    states = [_state(Path(file), layout) for file in files]
    settings = {} if config is None else read_json(Path(config), dict[str, Any])
    named = ", ".join(map(str, files))
    try:
        converted = layout.convert(states, settings)
    except InputError as error:
        raise InputError(f"{named} cannot be imported as {peer}: {error}") from error
    model = _built(converted, named, peer)
    model.about.update(_record(peer, files))
    model.save(folder, force)
    return model


def _layout(peer: str, files: Sequence[str | Path], config: str | Path | None) -> Peer:
    """The layout of a name, for which there are as many files as it has."""
    if peer in REFUSED:
        raise InputError(f"{peer} cannot be imported: {REFUSED[peer]}; {RETRAIN}")
    if peer not in PEERS:
        raise InputError(f"there is no layout {peer!r}; {nearest(peer, PEERS)}")
    layout = PEERS[peer]
    if not layout.least <= len(files) <= layout.most:
        raise InputError(f"{len(files)} files were given; {peer} has {' and '.join(layout.files)}")
    if layout.configured != (config is not None):
        raise InputError(
            f"{peer} needs the JSON that lies beside the weights; give it with --config"
            if layout.configured
            else f"--config {config} was given, but {peer} has none; remove it"
        )
    return layout


def _state(path: Path, layout: Peer) -> State:
    """The tensors in a file, by their names."""
    if not path.is_file():
        raise InputError(f"there is no file {path}; give {layout.files[0]} of {layout.title}")
    content = _safetensors(path) if path.suffix == ".safetensors" else _tensors(path)
    for name in (*layout.inside, *WRAPPERS):
        if isinstance(content, Mapping) and isinstance(content.get(name), Mapping):
            content = content[name]
    if not isinstance(content, Mapping) or not content or not all(isinstance(v, Tensor) for v in content.values()):
        raise InputError(f"{path} holds no tensors by name; give a state_dict")
    return {str(name).removeprefix(PARALLEL): tensor for name, tensor in content.items()}


def _safetensors(path: Path) -> State:
    try:
        return safetensors.torch.load_file(path)
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path} cannot be read: {one_line(error)}") from error


def _tensors(path: Path) -> Any:
    """What `torch.save` has written, if it consists of tensors and plain values only."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        why = "it holds Python objects, which may run code, or is no file of weights"
        raise InputError(f"{path} is not read: {why}; give a state_dict or safetensors") from error
    except Exception as error:  # the reader of pickles meets bytes of any other file with any error
        raise InputError(f"{path} cannot be read: {one_line(error)}") from error


def _built(converted: Converted, named: str, peer: str) -> Model:
    """The model with the published weights."""
    with torch.random.fork_rng([]):
        torch.manual_seed(0)  # of nets that are not published
        game = converted.recipe.game(converted.modality)
    try:
        for name, state in converted.nets.items():
            net = game.get_submodule(name)
            net.load_state_dict({**_unpublished(net, state), **state})
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise InputError(f"{named} cannot be imported as {peer}: {lines[min(1, len(lines) - 1)]}") from error
    return Model(converted.recipe, converted.modality, game, {})


def _unpublished(net: torch.nn.Module, state: State) -> State:
    """Tensors of parts of a net that none of the published ones belong to."""
    parts = {name.partition(".")[0] for name in state}
    return {name: tensor for name, tensor in net.state_dict().items() if name.partition(".")[0] not in parts}


def _record(peer: str, files: Sequence[str | Path]) -> dict[str, Any]:
    """Where the weights come from."""
    hashes = [(Path(file).name, hashlib.sha256(Path(file).read_bytes()).hexdigest()) for file in files]
    return {
        "name": Path(files[0]).stem,
        "imported": {"from": peer, "sha256": hashes},
        "sparring": sparring.__version__,
        "torch": torch.__version__,
    }
