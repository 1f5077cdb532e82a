"""Clients of stores: Arrow's own for S3 and Google Cloud Storage, those of fsspec for all others."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from sparring.data.addresses import BY_ARROW, scheme_of, shown, shown_in
from sparring.errors import InputError, needs


def opened(address: str) -> tuple[Any, str]:
    """The file system of an address, and the path in it. Arrow's own clients of S3 and Google Cloud Storage need no
    further library.
    """
    scheme, rest = scheme_of(address), address.partition("://")[2]
    fsspec = needs("fsspec", "stores", "reads stores")
    if scheme in BY_ARROW:
        arrow = needs("pyarrow.fs", "stores", f"reads {scheme}://")
        wrapped = needs("fsspec.implementations.arrow", "stores", f"reads {scheme}://").ArrowFSWrapper
        return wrapped(_s3(arrow, rest.partition("/")[0]) if scheme == "s3" else arrow.GcsFileSystem()), rest
    try:
        files, path = fsspec.core.url_to_fs(address)
    except (ImportError, ValueError) as error:
        why = shown_in(str(error), address)
        raise InputError(
            f"{shown(address)}: {scheme}:// cannot be read ({why}); see docs/data.md for what can"
        ) from error
    return files, path


def _s3(arrow: Any, bucket: str) -> Any:
    """A client of S3, or of a server that speaks its protocol if AWS_ENDPOINT_URL names one."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    once = arrow.AwsStandardS3RetryStrategy(max_attempts=1)  # since `Store` tries again
    if endpoint is None:
        return arrow.S3FileSystem(region=region or arrow.resolve_s3_region(bucket), retry_strategy=once)
    # Amazon's client streams what it writes with checksums that other servers refuse.
    os.environ.setdefault("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")
    parts = urlsplit(endpoint)
    return arrow.S3FileSystem(region=region, scheme=parts.scheme, endpoint_override=parts.netloc, retry_strategy=once)


def is_absent(error: Exception) -> bool:
    """True if there is no such object. A web server that cannot be asked is reported in the same way, with a cause."""
    cause = error.__cause__ or error
    return isinstance(cause, FileNotFoundError | NotADirectoryError | KeyError) or getattr(cause, "status", None) == 404


def is_refused(error: Exception) -> bool:
    status = getattr(error.__cause__ or error, "status", None)
    refused = isinstance(status, int) and 400 <= status < 500 and status not in (408, 429)
    return refused or isinstance(error, PermissionError) or "ACCESS_DENIED" in str(error)
