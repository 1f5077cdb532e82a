"""Who marks: a folder with a producer's name, certificate and key, their watermark, and the models that they mark."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypedDict

from filelock import FileLock

from sparring.errors import InputError
from sparring.files import write_bytes, write_json
from sparring.folders import check_folder, output_folder
from sparring.json_files import read_json
from sparring.provenance.certificates import own_chain
from sparring.provenance.packets import Origin
from sparring.provenance.watermark import Watermark

MAX_NAME = 500  # characters of a producer's name, which is in every mark
MARKS = "marks"  # in the marker of such a folder
VARIABLE = "SPARRING_MARKS"  # names the folder where no option does
HINT = f"make one with sparring marks FOLDER --producer NAME, and give it with --marks or in {VARIABLE}"
PRODUCER, CHAIN, KEY, WATERMARK, MODELS = (
    "producer.json", "certificate.pem", "key.pem", "watermark.safetensors", "models.json",
)  # fmt: skip


class Known(TypedDict):
    """What is known of a model whose samples are marked."""

    model: str


class Named(TypedDict):
    """The content of `producer.json`."""

    producer: str
    watermark: dict[str, Any]


@dataclass(frozen=True)
class Marker:
    """The folder that `create` wrote."""

    folder: Path

    @cached_property
    def named(self) -> Named:
        """
        Raises:
            InputError: if there is no such folder.
        """
        if not (self.folder / PRODUCER).is_file():
            raise InputError(f"{self.folder} is not a folder of marks; {HINT}")
        return read_json(self.folder / PRODUCER, Named)

    @property
    def chain(self) -> bytes:
        return (self.folder / CHAIN).read_bytes()

    @property
    def key(self) -> bytes:
        return (self.folder / KEY).read_bytes()

    @cached_property
    def watermark(self) -> Watermark | None:
        path = self.folder / WATERMARK
        return Watermark.load(path) if path.is_file() else None

    def models(self) -> Mapping[str, Known]:
        """Models whose samples have been marked, by identity."""
        path = self.folder / MODELS
        return read_json(path, dict[str, Known]) if path.is_file() else {}

    def remember(self, origin: Origin) -> None:
        """Write down a model, so that its watermark is known."""
        if origin.identity in self.models():
            return
        with FileLock(self.folder / ".lock"):
            write_json(self.folder / MODELS, {**self.models(), origin.identity: {"model": origin.model}})


def find(folder: str) -> Marker:
    """The folder that an option or the environment names.

    Raises:
        InputError: if none does, or it is no such folder.
    """
    place = folder or os.environ.get(VARIABLE, "")
    if not place:
        raise InputError(f"marks need to know whose they are; {HINT}")
    marker = Marker(Path(place))
    _ = marker.named
    return marker


def check(folder: Path, producer: str, chain: bytes, key: bytes, force: bool) -> None:
    """Check that `create` can write a folder of marks, before a watermark is trained for it.

    Raises:
        InputError: if something is there and `force` is not set, the producer has no name or a very long one, or only
            one of chain and key is given.
    """
    if not producer.strip():
        raise InputError("--producer is empty; give the name of who answers for the output, such as a company's")
    if len(producer) > MAX_NAME:
        raise InputError(f"--producer has {len(producer):,} characters; give a name of at most {MAX_NAME}")
    if bool(chain) != bool(key):
        raise InputError("a certificate needs its key, and a key its certificate; give both, or none for one's own")
    check_folder(folder, MARKS, force)


def create(
    folder: Path, producer: str, chain: bytes = b"", key: bytes = b"", watermark: Watermark | None = None,
    judged: Mapping[str, Any] = {}, force: bool = False,
) -> Marker:  # fmt: skip
    """Write a folder of marks.

    Args:
        producer: who answers for the output of the models.
        chain, key: a certificate with those that vouch for it, and its private key, as PEM; one's own unless given.
        judged: metrics of the watermark.

    Raises:
        InputError: as `check` does.
    """
    check(folder, producer, chain, key, force)
    if not chain:
        chain, key = own_chain(producer)
    with output_folder(folder, MARKS) as part:
        part.mkdir()
        named: Named = {"producer": producer, "watermark": dict(judged)}
        write_json(part / PRODUCER, named)
        write_bytes(part / CHAIN, chain)
        os.close(os.open(part / KEY, os.O_CREAT | os.O_WRONLY, 0o600))  # nobody else can read it at any time
        (part / KEY).write_bytes(key)
        if watermark is not None:
            watermark.save(part / WATERMARK)
    return Marker(folder)
