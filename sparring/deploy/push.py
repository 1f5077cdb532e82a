"""`push(run, "owner/name")` publishes a model on the Hugging Face Hub: safetensors, JSON, a card and samples."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparring.console import Screen
from sparring.deploy.hub_card import Statements, hub_card
from sparring.errors import InputError, needs
from sparring.files import write_bytes, write_text
from sparring.folders import MARKER
from sparring.model import Model, hub, load, stored
from sparring.runs.folder import RunFolder

SHEET = f"{hub.SAMPLES}/sheet.png"
SHEET_SAMPLES = 64
COMMON = (".gitattributes", ".gitignore", "LICENSE", hub.CARD)  # files that repositories have besides a model
MAX_NAMED = 3  # files that a message names


@dataclass(frozen=True)
class Pushed:
    """A model on the Hub.

    Attributes:
        address: that every RUN argument takes.
        url: of its page.
        private: True if only its owner sees it.
        files: names of what was uploaded, sorted.
    """

    address: str
    url: str
    private: bool
    files: tuple[str, ...]


def push(
    run: str | Path,
    to: str,
    public: bool = False,
    force: bool = False,
    license: str = "",
    data_license: str = "",
    use: str = "",
    quiet: bool = True,
) -> Pushed:
    """Publish a model: the files of its folder, a card, and samples where these show no items of the data.

    Args:
        run: the folder of a run or of a model.
        to: the repository, OWNER/NAME. It is created if there is none.
        public: everybody can see a repository that is created. Without it, a public repository is refused.
        force: overwrite another model, or write beside other files.
        license: of the weights, as the Hub names it: mit, cc-by-4.0, ...
        data_license: of the training data, for the card.
        use: what the model is for, and what it is not for, for the card.
        quiet: show no progress.

    Raises:
        InputError: if the model cannot be published, there is no token, the Hub refuses it or cannot be reached, or the
            repository holds something else and `force` is not set.
    """
    where = hub.repository(to)
    client = needs("huggingface_hub", "hub", "reads and writes models of the Hub")
    if client.get_token() is None:
        raise InputError(f"{where}: no token of the Hub is found; log in with hf auth login, or set HF_TOKEN")
    folder = hub.local(run)
    model = _public(load(folder, trust=False), str(run))
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        with Screen(quiet).progress("writing the model, its card and samples"):
            _write(model, RunFolder(folder), where, place, Statements(license, data_license, use))
        files = {path.relative_to(place).as_posix(): path for path in sorted(place.rglob("*")) if path.is_file()}
        with hub.explained(where):
            return _upload(where, files, public, force)


def _public(model: Model, run: str) -> Model:
    """A model without paths of this machine.

    Raises:
        InputError: if it needs code, or was not trained.
    """
    if model.recipe.own_file:
        raise InputError(f"{run} is of the recipe file {model.recipe.source}, and code is not published; export it")
    if "step" not in model.about:
        raise InputError(f"{run} was not trained by sparring, so that nothing is known for its card; give a run")
    return model.portable()


def _write(model: Model, run: RunFolder, where: hub.Address, place: Path, statements: Statements) -> None:
    """Write what is uploaded to a folder."""
    described = stored.describe(model.recipe, model.modality) | {"about": model.about}
    stored.write(place / "model", described, model.game.state_dict(), half=False)
    (place / "model" / MARKER).unlink()
    if run.evaluation.is_file():
        write_bytes(place / hub.NUMBERS, run.evaluation.read_bytes())
    sheet = ""
    if model.modality.source is None:  # otherwise it would show items of the data
        sheet = SHEET
        samples = model.sample(SHEET_SAMPLES, seed=0)
        samples.save(place / SHEET)
        suffix = model.modality.writers[0].suffix
        if suffix and suffix != Path(SHEET).suffix:
            samples.save(place / hub.SAMPLES / f"samples{suffix}")
    write_text(place / hub.CARD, hub_card(model, run, where, sheet, statements))


def _upload(where: hub.Address, files: Mapping[str, Path], public: bool, force: bool) -> Pushed:
    """Upload files as one commit, unless the repository holds something else."""
    api = hub.hub()
    api.create_repo(where.repository, private=not public, exist_ok=True)
    info = api.model_info(where.repository, files_metadata=True)
    if not info.private and not public:
        raise InputError(f"{where} is a public repository; add --public to publish there, or choose another name")
    there = {file.rfilename: file for file in info.siblings}
    if not force:
        _check_same(where, there, files)
    client = needs("huggingface_hub", "hub", "reads and writes models of the Hub")
    operations = [client.CommitOperationAdd(name, str(path)) for name, path in files.items()]
    operations += [client.CommitOperationDelete(name) for name in there if _is_result(name) and name not in files]
    api.create_commit(
        where.repository, operations, commit_message="Publish a model of Sparring", parent_commit=info.sha
    )
    return Pushed(str(where), f"{api.endpoint}/{where.repository}", bool(info.private), tuple(files))


def _is_result(name: str) -> bool:
    """True for a file of the Hub that is about one model."""
    return name == hub.NUMBERS or name.startswith(f"{hub.SAMPLES}/")


def _check_same(where: hub.Address, there: Mapping[str, Any], files: Mapping[str, Path]) -> None:
    """Check that a repository holds nothing, or the same model: its weights, whichever version described them.

    Raises:
        InputError: if not.
    """
    holds = hub.DESCRIPTION in there or hub.WEIGHTS in there
    if not holds and (others := sorted(set(there) - {*COMMON, *files})):
        named = ", ".join(others[:MAX_NAMED])
        raise InputError(f"{where} holds other files ({named}); choose another name, or write beside them with --force")
    if holds and not (hub.WEIGHTS in there and _is_same(there[hub.WEIGHTS], files[hub.WEIGHTS].read_bytes())):
        raise InputError(f"{where} holds another model; choose another name, or overwrite it with --force")


def _is_same(file: Any, content: bytes) -> bool:
    """True if a file of the Hub has a content: by the hash that Git, or its large file storage, has of it."""
    if file.lfs is not None:
        return bool(file.lfs.sha256 == hashlib.sha256(content).hexdigest())
    return bool(file.blob_id == hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest())
