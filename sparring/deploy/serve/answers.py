"""What was made, as an answer's bytes."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sparring.deploy.serve.negotiation import CSV, JSON, NPZ, PNG
from sparring.modalities import Modality, Samples, Series
from sparring.modalities.samples import as_image

# What samples of each kind can be given as, what is given unless asked otherwise first.
OFFERS = {
    "images": (PNG, JSON, NPZ),
    "rows": (JSON, CSV, PNG),
    "series": (JSON, CSV, NPZ, PNG),
    "points": (JSON, CSV, NPZ, PNG),
}


def samples_as(samples: Samples, media: str, seed: int) -> bytes:
    """Samples as one of the `OFFERS` of their kind: JSON with the seed, or what `Samples.save` writes to a file; of a
    single picture, the picture as it is.
    """
    if media == JSON:
        return as_json({"kind": samples.modality.kind, "seed": seed, **content(samples)})
    if media == PNG:
        single = samples.modality.kind == "images" and len(samples) == 1
        return png(as_image(samples.items[0]) if single else samples.preview())
    return written(samples, {CSV: ".csv", NPZ: ".npz"}[media])


def content(samples: Samples) -> dict[str, Any]:
    """Samples as JSON has them; what is no number there is null."""
    modality, items = samples.modality, samples.items
    return {"labels": _named(modality, samples.labels)} | _CONTENT[modality.kind](modality, items)


def _pictures(_modality: Modality, items: NDArray[np.uint8]) -> dict[str, Any]:
    return {"pictures": [base64_png(as_image(picture)) for picture in items]}


def _rows(_modality: Modality, items: Any) -> dict[str, Any]:
    return {"rows": json.loads(items.to_json(orient="records", date_format="iso", double_precision=15))}


def _series(modality: Modality, items: NDArray[np.float64]) -> dict[str, Any]:
    assert isinstance(modality, Series)
    dates = modality.dates(items.shape[1])
    days = None if dates is None else [date.isoformat() for date in dates]
    return {"channels": modality.names, "dates": days, "series": plain(items)}


def _points(modality: Modality, items: NDArray[np.float32]) -> dict[str, Any]:
    return {"columns": list(getattr(modality, "columns", ())), "points": plain(items)}


_CONTENT: Mapping[str, Callable[[Any, Any], dict[str, Any]]] = {
    "images": _pictures, "rows": _rows, "series": _series, "points": _points,
}  # fmt: skip


def _named(modality: Modality, labels: NDArray[np.int64] | None) -> list[str] | None:
    return None if labels is None else [modality.classes[label] for label in labels]


def plain(values: NDArray[Any]) -> Any:
    """Numbers as lists, null where they are not finite."""
    finite = np.isfinite(values)
    if finite.all():
        return values.tolist()
    holed = values.astype(object)
    holed[~finite] = None
    return holed.tolist()


def png(picture: Image.Image) -> bytes:
    """A picture as a PNG."""
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def base64_png(picture: Image.Image | bytes) -> str:
    """A picture, or a PNG's bytes, as text."""
    return base64.b64encode(picture if isinstance(picture, bytes) else png(picture)).decode()


def npz(**arrays: NDArray[Any]) -> bytes:
    """Arrays in NumPy's format."""
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def written(samples: Samples, suffix: str) -> bytes:
    """What a file of this suffix holds."""
    with TemporaryDirectory(prefix="sparring-") as folder:
        path = Path(folder) / f"samples{suffix}"
        samples.save(path)
        return path.read_bytes()


def as_json(answer: Any) -> bytes:
    """As bytes, all of them ASCII: what a request sent may hold signs that UTF-8 has not."""
    return json.dumps(answer, allow_nan=False, separators=(",", ":")).encode()
