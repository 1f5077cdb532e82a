"""C2PA manifests: signed statements in a file about where it comes from. Specification 2.2, c2pa.org."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sparring
from sparring.errors import InputError, needs, one_line
from sparring.provenance.packets import GENERATED, Origin

LABEL = "org.sparring.origin"  # of the assertion with the fields of `Origin`
SETTINGS = {
    "builder": {"thumbnail": {"enabled": False}},  # it may be larger than the file
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},  # nothing is asked of other machines
}
UNTRUSTED = "signingCredential.untrusted"  # not a problem of the file
VALID = ("Valid", "Trusted")  # states of a manifest whose signature and hashes hold


@dataclass(frozen=True)
class Manifest:
    """What a file's manifest says.

    Attributes:
        valid: True if the signature is right and the file was not changed since.
        trusted: True if it is signed with the certificate that is trusted, and not only with another of its authority.
        signer: the organization that the certificate names.
        origin: what the file comes from; None if another program wrote the manifest.
        generated: True if it says that a model generated the file.
        problems: why it is not valid, as codes of the specification.
    """

    valid: bool
    trusted: bool
    signer: str
    origin: Origin | None
    generated: bool
    problems: tuple[str, ...]


def _library() -> Any:
    return needs("c2pa", "provenance", "signs and reads C2PA manifests")


def sign(content: bytes, media: str, origin: Origin, chain: bytes, key: bytes) -> bytes:
    """A file's content with a manifest.

    Args:
        media: media type of the file.
        chain, key: certificates and the private key of the first, as PEM; ECDSA with P-256.

    Raises:
        InputError: if the certificate or the key cannot be used.
    """
    c2pa = _library()
    action = {"action": "c2pa.created", "digitalSourceType": GENERATED, "softwareAgent": {"name": "Sparring"}}
    said = {"producer": origin.producer, "model": origin.model, "identity": origin.identity}
    manifest = {
        "claim_generator_info": [{"name": "Sparring", "version": sparring.__version__}],
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [action]}},
            {"label": LABEL, "data": said},
        ],
    }
    signed = io.BytesIO()
    try:
        info = c2pa.C2paSignerInfo(c2pa.C2paSigningAlg.ES256, chain, key, None)
        with (
            c2pa.Context.from_dict(SETTINGS) as context,
            c2pa.Signer.from_info(info) as signer,
            c2pa.Builder(manifest, context) as builder,
        ):
            builder.sign(signer, media, io.BytesIO(content), signed)
    except (c2pa.C2paError, ValueError) as error:
        raise InputError(
            f"the certificate cannot sign a manifest: {one_line(error)}; give a chain for ECDSA P-256"
        ) from error
    return signed.getvalue()


def read(content: bytes, media: str, chain: bytes = b"") -> Manifest | None:
    """The manifest in a file's content; None if it has none.

    Args:
        media: media type of the file.
        chain: the certificate whose signature is trusted, and those that vouch for it, as PEM.
    """
    c2pa = _library()
    settings = SETTINGS | ({"trust": {"trust_anchors": chain.decode()}} if chain else {})
    try:
        with (
            c2pa.Context.from_dict(settings) as context,
            c2pa.Reader(media, io.BytesIO(content), context=context) as reader,
        ):
            store = json.loads(reader.json())
    except c2pa.C2paError as error:
        if "ManifestNotFound" in str(error) or "no JUMBF" in str(error):
            return None
        return Manifest(False, False, "", None, False, (one_line(error),))
    return described(store, _serial(chain) if chain else "")


def _serial(chain: bytes) -> str:
    """The serial number of the first certificate, which its authority gives to no other."""
    needs("cryptography", "provenance", "reads certificates")
    from cryptography import x509

    try:
        return str(x509.load_pem_x509_certificates(chain)[0].serial_number)
    except ValueError as error:
        raise InputError(f"the certificate of the marks is damaged: {one_line(error)}") from error


def described(store: Mapping[str, Any], serial: str) -> Manifest:
    """What the active manifest says.

    Args:
        store: a file's manifests, as c2pa writes them as JSON. What they say comes from strangers, and may have any
            type.
        serial: number of the certificate that is trusted, in decimal; "" if none is.
    """
    active = _object(_object(store.get("manifests")).get(str(store.get("active_manifest"))))
    said = {str(one.get("label")): one.get("data") for one in _objects(active.get("assertions"))}
    actions = _objects(_object(said.get("c2pa.actions.v2", said.get("c2pa.actions"))).get("actions"))
    sources = [action.get("digitalSourceType") for action in actions]
    codes = [str(one.get("code")) for one in _objects(store.get("validation_status"))]
    failures = [code for code in codes if code != UNTRUSTED]
    state, signature = store.get("validation_state"), _object(active.get("signature_info"))
    return Manifest(
        valid=state in VALID,
        trusted=state == "Trusted" and signature.get("cert_serial_number") == serial,
        signer=str(signature.get("issuer", "")),
        origin=_origin(said.get(LABEL)),
        generated=GENERATED in sources,
        problems=() if state in VALID else tuple(dict.fromkeys(failures)),
    )


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list; none if it is no list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _origin(said: Any) -> Origin | None:
    names = ("producer", "model", "identity")
    if not isinstance(said, dict) or not all(isinstance(said.get(name), str) for name in names):
        return None
    return Origin(*(said[name] for name in names))
