"""A certificate of one's own for signing manifests, where no authority's is at hand: a root, and a certificate that the
root has signed, as C2PA asks for. Readers say that such a chain is valid, and that nobody they know vouches for it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sparring.errors import needs

DAYS = 3650  # of validity
USES = ("digital_signature", "key_cert_sign", "crl_sign")


def own_chain(producer: str) -> tuple[bytes, bytes]:
    """A chain of certificates and the private key of the first, as PEM.

    Args:
        producer: whom the certificates name.
    """
    needs("cryptography", "provenance", "makes certificates")
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _certificate(producer, "root", root_key.public_key(), root_key, None)
    leaf = _certificate(producer, "signer", key.public_key(), root_key, root)
    chain = b"".join(one.public_bytes(Encoding.PEM) for one in (leaf, root))
    return chain, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _certificate(producer: str, role: str, public: Any, signing: Any, issuer: Any) -> Any:
    """A certificate, signed by itself if it has no issuer."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    attributes = [
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, producer[:64]),
        x509.NameAttribute(NameOID.COMMON_NAME, f"Sparring {role}"),
    ]
    name, now, is_root = x509.Name(attributes), datetime.now(UTC), issuer is None
    allowed = USES[1:] if is_root else USES[:1]
    names = (*USES, "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only")
    usage = x509.KeyUsage(**{use: use in allowed for use in (*names, "decipher_only")})
    authority = signing.public_key()
    built = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name if is_root else issuer.subject).public_key(public)
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=DAYS))
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority), critical=False)
    )  # fmt: skip
    if not is_root:
        built = built.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    return built.sign(signing, hashes.SHA256())
