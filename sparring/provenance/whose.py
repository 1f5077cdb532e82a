"""`whose(file)` says which model made a file, or that this cannot be told."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sparring.errors import InputError, needs
from sparring.provenance import manifests, packets, sidecars, watermark
from sparring.provenance.containers import container
from sparring.provenance.marker import Marker
from sparring.provenance.reading import pixels_of, read_bytes
from sparring.provenance.watermark_nets import BITS


@dataclass(frozen=True)
class Evidence:
    """One mark of a file.

    Attributes:
        kind: manifest, sidecar, watermark or metadata.
        says: what it says, in words.
        model: the model that it names; "" if it names none of Sparring's.
        proven: True if not anybody could have made the mark: it is a watermark, or a trusted signature of a file that
            was not changed since.
    """

    kind: str
    says: str
    model: str
    proven: bool


@dataclass(frozen=True)
class Verdict:
    """What marks tell of a file."""

    path: Path
    evidence: tuple[Evidence, ...]

    @property
    def model(self) -> str:
        """The model that made the file; "" if this cannot be told."""
        return next((one.model for one in self.evidence if one.proven and one.model), "")

    @property
    def words(self) -> str:
        """In one sentence without an end."""
        if self.model:
            return f"made by {self.model}"
        claimed = next((one.model for one in self.evidence if one.model), "")
        if claimed:
            return f"cannot be told: marks name {claimed}, but nothing proves it"
        if self.evidence:
            return "cannot be told: marks name no model"
        return "cannot be told: there are no marks, which does not mean that it is real"


def whose(file: str | Path, marker: Marker | None = None) -> Verdict:
    """Which model made a file, by its manifest, its sidecar, its watermark and its metadata, in this order.

    Args:
        marker: whose signatures are trusted, and whose watermark is looked for; nobody's unless given.

    Raises:
        InputError: if the file cannot be read, or a library is missing.
    """
    path = Path(file)
    content = read_bytes(path)
    found = [
        *_manifest(content, marker),
        *_sidecar(path, content, marker),
        *_watermark(content, marker),
        *_metadata(content),
    ]
    return Verdict(path, tuple(found))


def _manifest(content: bytes, marker: Marker | None) -> Iterator[Evidence]:
    place = container(content)
    manifest = None if place is None else manifests.read(content, place.media, marker.chain if marker else b"")
    if manifest is None:
        return
    if not manifest.valid:
        yield Evidence("manifest", f"not valid ({', '.join(manifest.problems)}): the file was changed", "", False)
        return
    generated = "generated" if manifest.generated else "not said to be generated"
    said = f"valid, {generated}, signed by {manifest.signer} ({_trust(manifest.trusted)})"
    model = _named(manifest.origin) if manifest.origin is not None else ""
    yield Evidence("manifest", said, model, manifest.trusted)


def _trust(trusted: bool) -> str:
    return "trusted" if trusted else "not known here: anybody can make a certificate of that name"


def _sidecar(path: Path, content: bytes, marker: Marker | None) -> Iterator[Evidence]:
    beside = sidecars.beside(path)
    if not beside.is_file():
        return
    needs("cryptography", "provenance", "verifies statements")
    try:
        sidecar = sidecars.read(beside)
    except InputError as error:
        yield _damaged("sidecar", error)
        return
    names = [sidecar.said.get(name) for name in ("producer", "model", "identity")]
    same = sidecar.said.get("sha256") == hashlib.sha256(content).hexdigest()
    if not sidecar.valid:
        yield Evidence("sidecar", "its signature is wrong: it was changed", "", False)
    elif not same:
        yield Evidence("sidecar", "it is of another file, or the file was changed", "", False)
    else:
        known = all(isinstance(name, str) for name in names)
        model = _named(packets.Origin(*map(str, names))) if known else ""
        trusted = marker is not None and sidecar.certificate == marker.chain
        yield Evidence("sidecar", f"valid, signed by {sidecar.signer} ({_trust(trusted)})", model, trusted)


def _watermark(content: bytes, marker: Marker | None) -> Iterator[Evidence]:
    if marker is None or marker.watermark is None:
        return
    items = pixels_of(content)
    models = marker.models()
    if items is None or not models:
        return
    found = watermark.named(marker.watermark.decode(items)[0], tuple(models))
    if found is not None:
        name, bits = found
        origin = packets.Origin(marker.named["producer"], models[name]["model"], name)
        said = (
            f"{bits} of {BITS} bits agree; a picture without a watermark is named with a probability of at "
            f"most {watermark.FALSE_NAMES:.2%}"
        )
        yield Evidence("watermark", said, _named(origin), True)


def _metadata(content: bytes) -> Iterator[Evidence]:
    try:
        fields = packets.fields(content)
    except InputError as error:
        yield _damaged("metadata", error)
        return
    if fields is None or not packets.says_generated(fields):
        return
    origin = packets.origin(fields)
    model = _named(origin) if origin is not None else ""
    yield Evidence("metadata", "says that it was generated; anybody can write that", model, False)


def _damaged(kind: str, error: InputError) -> Evidence:
    """A mark that cannot be read. The others may still be right."""
    return Evidence(kind, f"damaged: {error}", "", False)


def _named(origin: packets.Origin) -> str:
    return f"{origin.model} of {origin.producer} (weights {origin.identity[:16]})"
