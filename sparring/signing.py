"""Signatures of models (OpenSSF Model Signing), by which whoever loads one knows that it is what its maker signed."""

from __future__ import annotations

import os
from pathlib import Path

from sparring.errors import InputError, needs, one_line
from sparring.files import temporary

VARIABLE = "SPARRING_VERIFY_KEY"  # path of the public key that all models must be signed with; none if it is not set
SUFFIX = ".sig"
DOES = "signs and verifies models"


def signature_of(place: Path) -> Path:
    """Where the signature of a model's folder or file lies: beside it."""
    return place.with_name(f"{place.name}{SUFFIX}")


def sign(place: Path, key: Path) -> Path:
    """Sign every file of a model's folder, or a model in one file; returns the path of the signature.

    Args:
        key: PEM with a private key of an elliptic curve, without a password.

    Raises:
        InputError: if the key cannot be used, or the signature cannot be written.
    """
    needs("model_signing", "signing", DOES)
    from model_signing import signing

    if not key.is_file():
        made = f"openssl ecparam -name prime256v1 -genkey -noout -out {key}"
        raise InputError(f"there is no key {key}; make one with: {made}")
    signature = signature_of(place)
    with temporary(signature) as part:
        try:
            config = signing.Config()  # type: ignore[no-untyped-call]
            config.use_elliptic_key_signer(private_key=key).sign(place, part)
        except (ValueError, TypeError) as error:
            raise InputError(f"{key} cannot sign {place}: {one_line(error)}") from error
        part.replace(signature)
    return signature


def verify(place: Path, key: Path) -> None:
    """Check that a model is what was signed with a key, that nothing was changed, added or removed.

    Args:
        place: a model's folder, or a model in one file.
        key: PEM with the public key.

    Raises:
        InputError: if not.
    """
    needs("model_signing", "signing", DOES)
    from model_signing import verifying

    signature = signature_of(place)
    if not key.is_file():
        raise InputError(f"there is no public key {key}, with which models are verified; give another --verify-key")
    if not signature.is_file():
        raise InputError(f"{place} is not signed: there is no {signature}; do not use it unless you know who made it")
    try:
        config = verifying.Config()  # type: ignore[no-untyped-call]
        config.use_elliptic_key_verifier(public_key=key).verify(place, signature)
    except Exception as error:  # whatever a stranger's signature leads to, it does not verify the model
        raise InputError(
            f"{place} is not what was signed with the key of {key}: {one_line(error)}; get it from its maker again"
        ) from error


def check(place: Path) -> None:
    """Verify a model if the user has asked for that, by `--verify-key` or the environment.

    Raises:
        InputError: as `verify` does, and if the environment asks for it without a key.
    """
    if is_asked():
        verify(place, given(os.environ[VARIABLE], VARIABLE))


def given(key: str, where: str) -> Path:
    """The path of a public key that an option or a variable gives.

    Args:
        where: the name of the option, or of the variable.

    Raises:
        InputError: if it is empty, which does not mean that models need not be verified.
    """
    if not key.strip():
        raise InputError(f"{where} is empty; give the file of a public key, or leave it out to load any model")
    return Path(key)


def is_asked() -> bool:
    """True if only signed models may be loaded."""
    return VARIABLE in os.environ
