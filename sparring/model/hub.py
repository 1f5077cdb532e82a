"""Models of the Hugging Face Hub, which are given as `hf://owner/name` or `hf://owner/name@revision`."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote

from sparring.errors import InputError, needs, one_line
from sparring.files import describe_error

SCHEME = "hf:"
NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}"
# A path such as Path("hf://owner/name") has one slash.
ADDRESS = re.compile(rf"(?:hf:)//?(?P<owner>{NAME})/(?P<name>{NAME})(?:@(?P<revision>[^\s@]+))?/?")
REPOSITORY = re.compile(rf"{NAME}/{NAME}")
DESCRIPTION, WEIGHTS = "model/model.json", "model/weights.safetensors"
CARD, NUMBERS, SAMPLES = "README.md", "evaluation.json", "samples"
READ = (DESCRIPTION, WEIGHTS, CARD, NUMBERS)  # what is downloaded: no code, no pickles
PICKLES = (".bin", ".ckpt", ".joblib", ".pickle", ".pkl", ".pt", ".pth")
FOLDER = Path("runs") / "hub"  # of what commands find out about models of the Hub
OF_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)
UNAUTHORIZED, FORBIDDEN = 401, 403  # status codes


@dataclass(frozen=True)
class Address:
    """A repository of models.

    Attributes:
        owner, name: of the repository.
        revision: a branch, a tag or a commit; None for the newest commit of `main`.
    """

    owner: str
    name: str
    revision: str | None = None

    @property
    def repository(self) -> str:
        return f"{self.owner}/{self.name}"

    def __str__(self) -> str:
        return f"hf://{self.repository}" + (f"@{self.revision}" if self.revision else "")


def address(run: str | PurePath) -> Address | None:
    """The repository that a RUN names; None if it is a path.

    Raises:
        InputError: if it begins with hf: and names none.
    """
    text = run.as_posix() if isinstance(run, PurePath) else run
    if not text.startswith(SCHEME):
        return None
    found = ADDRESS.fullmatch(text)
    if found is None:
        raise InputError(f"{text} is no model of the Hub; write hf://OWNER/NAME or hf://OWNER/NAME@REVISION")
    return Address(**found.groupdict())


def repository(text: str) -> Address:
    """The repository OWNER/NAME, in which a model is published; hf:// may stand before it.

    Raises:
        InputError: if it has another form.
    """
    plain = text.removeprefix("hf://")
    if not REPOSITORY.fullmatch(plain):
        raise InputError(f"{text} is no repository of the Hub; write OWNER/NAME")
    owner, name = plain.split("/")
    return Address(owner, name)


def local(run: str | Path) -> Path:
    """The folder or file of a RUN on this machine. A model of the Hub is downloaded to the cache of `huggingface_hub`,
    unless it is there already: only its safetensors, its JSON and its card.

    Raises:
        InputError: if there is no such model on the Hub, the Hub cannot be reached, or `huggingface_hub` is not
            installed.
    """
    where = address(run)
    if where is None:
        return Path(run)
    with explained(where):
        folder = Path(hub().snapshot_download(where.repository, revision=where.revision, allow_patterns=list(READ)))
        if not (folder / DESCRIPTION).is_file():
            raise _no_model(where, hub().list_repo_files(where.repository, revision=where.revision))
    return folder


def beside(run: str | Path) -> Path:
    """Where commands write what they find out about a RUN: its folder, or `runs/hub/OWNER/NAME[@REVISION]` for a
    model of the Hub.
    """
    where = address(run)
    if where is None:
        return Path(run)
    revision = f"@{quote(where.revision, safe='')}" if where.revision else ""
    return FOLDER / where.owner / f"{where.name}{revision}"


def hub() -> Any:
    """The interface of the Hub, at the address that `HF_ENDPOINT` gives.

    Raises:
        InputError: if `huggingface_hub` is not installed.
    """
    client = needs("huggingface_hub", "hub", "reads and writes models of the Hub")
    return client.HfApi(endpoint=os.environ.get("HF_ENDPOINT"), library_name="sparring")


@contextmanager
def _silent() -> Iterator[None]:
    """Without the messages and bars of `huggingface_hub`."""
    utils = needs("huggingface_hub.utils", "hub", "reads and writes models of the Hub")
    level, bars = utils.logging.get_verbosity(), not utils.are_progress_bars_disabled()
    utils.logging.set_verbosity_error()
    if bars:
        utils.disable_progress_bars()
    try:
        yield
    finally:
        utils.logging.set_verbosity(level)
        if bars:
            utils.enable_progress_bars()


@contextmanager
def explained(where: Address) -> Iterator[None]:
    """Turns errors of the Hub, and of the way to it, into one line.

    Raises:
        InputError: for each of them.
    """
    errors = needs("huggingface_hub.errors", "hub", "reads and writes models of the Hub")
    transport = errors.HfHubHTTPError.__bases__[0]  # the base of errors of the HTTP client, whichever it uses
    try:
        with _silent():
            yield
    except InputError:
        raise
    except errors.RevisionNotFoundError as error:
        raise InputError(f"{where}: there is no revision {where.revision}; give a branch, a tag or a commit") from error
    except errors.GatedRepoError as error:
        raise InputError(f"{where} is only for those who accept its terms; do so on its page, then log in") from error
    except errors.RepositoryNotFoundError as error:
        why = "there is no such repository, or your token may not read it"
        raise InputError(f"{where}: {why}; check the name, or log in with hf auth login") from error
    except errors.HfHubHTTPError as error:
        raise InputError(f"{where}: {_refusal(error)}") from error
    except ValueError as error:  # such as metadata of a card that the Hub does not know
        why = " ".join(str(error).split())
        raise InputError(f"{where}: the Hub does not accept it ({why}); correct what is named") from error
    except (transport, OSError, RuntimeError) as error:
        if isinstance(error, OSError) and error.errno in OF_DISK:
            raise InputError(f"{where} cannot be stored: {describe_error(error)}; see HF_HUB_CACHE") from error
        why = f"the Hub cannot be reached ({one_line(error)})"
        raise InputError(f"{where}: {why}; check the network, HF_ENDPOINT and HF_HUB_OFFLINE") from error


def _refusal(error: Any) -> str:
    """Why the Hub refuses a request."""
    status = error.response.status_code
    if status in (UNAUTHORIZED, FORBIDDEN):
        return "your token is not valid for this; log in with hf auth login, with a token that may write"
    return f"the Hub answers {status} ({error.server_message or one_line(error)}); try again later"


def _no_model(where: Address, files: list[str]) -> InputError:
    """Why a repository without a model of Sparring's cannot be loaded."""
    pickled = next((name for name in files if name.lower().endswith(PICKLES)), None)
    if pickled is not None:
        why = f"it holds {pickled}, which may run code when it is read, and is not opened"
        return InputError(f"{where} is no model of Sparring: {why}; see sparring import --help")
    return InputError(f"{where} is no model of Sparring: it has no {DESCRIPTION}; give one that sparring push wrote")
