"""Signed statements beside files whose formats have no place for marks, such as tables."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from sparring.errors import InputError, needs
from sparring.json_files import read_json

SUFFIX = ".provenance.json"


class Content(TypedDict):
    """The content of a sidecar."""

    statement: dict[str, Any]
    signature: str
    certificate: str


@dataclass(frozen=True)
class Sidecar:
    """What was read from a sidecar.

    Attributes:
        said: the statement.
        valid: True if the certificate beside it signed the statement.
        signer: the organization that the certificate names.
        certificate: and those that vouch for it, as PEM.
    """

    said: Mapping[str, Any]
    valid: bool
    signer: str
    certificate: bytes


def beside(path: Path) -> Path:
    """The sidecar of a file."""
    return path.with_name(path.name + SUFFIX)


def _canonical(said: Mapping[str, Any]) -> bytes:
    """The bytes of a statement that are signed."""
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def signed(said: Mapping[str, Any], chain: bytes, key: bytes) -> Content:
    """A statement with its signature by ECDSA.

    Args:
        chain, key: certificates and the private key of the first, as PEM.

    Raises:
        InputError: if the key cannot be used.
    """
    needs("cryptography", "provenance", "signs statements")
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        private = load_pem_private_key(key, None)
    except (ValueError, TypeError) as error:
        raise InputError(
            f"the key of the certificate cannot be read: {error}; give a PEM without a password"
        ) from error
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise InputError("the key of the certificate is not one of ECDSA; give a certificate for ECDSA P-256")
    signature = private.sign(_canonical(said), ec.ECDSA(hashes.SHA256()))
    return {"statement": dict(said), "signature": base64.b64encode(signature).decode(), "certificate": chain.decode()}


def read(path: Path) -> Sidecar:
    """
    Raises:
        InputError: if it is damaged, or a library is missing.
    """
    needs("cryptography", "provenance", "verifies statements")
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    content = read_json(path, Content)
    try:
        certificate = x509.load_pem_x509_certificates(content["certificate"].encode())[0]
        public, signature = certificate.public_key(), base64.b64decode(content["signature"])
    except (ValueError, IndexError, UnsupportedAlgorithm) as error:
        raise InputError(f"{path} is damaged: its certificate or its signature cannot be read") from error
    names = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    signer = str(names[0].value) if names else ""
    valid = isinstance(public, ec.EllipticCurvePublicKey)
    if isinstance(public, ec.EllipticCurvePublicKey):
        try:
            public.verify(signature, _canonical(content["statement"]), ec.ECDSA(hashes.SHA256()))
        except (InvalidSignature, UnsupportedAlgorithm):
            valid = False
    return Sidecar(content["statement"], valid, signer, content["certificate"].encode())
