"""What marks the files that commands write: the one thing that writers of all kinds of data go through."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL.PngImagePlugin import PngImageFile

from sparring.errors import InputError, nearest, needs
from sparring.files import as_json, write_text
from sparring.folders import MARKER
from sparring.modalities import Samples
from sparring.modalities.samples import as_image
from sparring.model import Model, stored
from sparring.provenance import label, manifests, sidecars
from sparring.provenance.containers import container
from sparring.provenance.marker import Marker, find
from sparring.provenance.packets import GENERATED, Origin, aigc, packet
from sparring.provenance.watermark import message

LAWS = ("eu", "cn")
PNG = "image/png"
HEADER = "Sparring-Provenance"  # of responses whose format has no place for marks


@dataclass(frozen=True)
class Mark:
    """Marks what a model generates.

    Attributes:
        eu: machine-readable: metadata, a signed manifest and, if the marker has one, a watermark.
        cn: a visible label, and the field AIGC in the metadata.
        origin: what marks say.
        marker: who signs, and the watermark.
    """

    suffix: ClassVar[str] = sidecars.SUFFIX

    eu: bool
    cn: bool
    origin: Origin
    marker: Marker

    @classmethod
    def of(cls, model: Model, laws: Sequence[str], folder: str = "") -> Mark:
        """A mark for a model's output. The model is written down in the folder of marks.

        Args:
            laws: "eu", "cn" or both.
            folder: of marks; by default that of the environment variable SPARRING_MARKS.

        Raises:
            InputError: if there is no such law or folder, or a library is missing.
        """
        marker = cls.check(laws, folder)
        about = f"recipe {model.recipe.name} on {model.about.get('name', 'unknown data')}"
        origin = Origin(marker.named["producer"], about, stored.identity(model.game.state_dict()))
        marker.remember(origin)
        return cls("eu" in laws, "cn" in laws, origin, marker)

    @staticmethod
    def check(laws: Sequence[str], folder: str = "") -> Marker:
        """Whose marks these are, before there is a model.

        Args:
            laws, folder: as for `of`.

        Raises:
            InputError: as `of` does.
        """
        for law in laws:
            if law not in LAWS:
                raise InputError(f"--mark {law} is unknown; {nearest(law, LAWS)}")
        needs("cryptography", "provenance", "signs statements")
        if "eu" in laws:
            needs("c2pa", "provenance", "signs manifests")
        return find(folder)

    def samples(self, samples: Samples) -> Samples:
        """Samples with a watermark and a visible label in their pixels, if they have some.

        Raises:
            InputError: if they are too small for one.
        """
        return replace(samples, items=samples.modality.with_pixels(samples.items, self.pixels))

    def notes(self, samples: Samples) -> tuple[str, ...]:
        """What the law asks for and the files of some samples do not have, one line each."""
        first = samples.items[:1]
        if not self.cn or samples.modality.with_pixels(first, np.copy) is not first:
            return ()
        words = samples.modality.words.items
        return (f"--mark cn draws no label on {words} or on sheets that show them; put one beside what you publish",)

    def pixels(self, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Pictures (n, h, w, c) with the marks that stand in pixels."""
        if self.eu and self.marker.watermark is not None:
            frames = self.marker.watermark.embed(frames, message(self.origin.identity))
        return label.labeled(frames) if self.cn else frames

    def content(self, content: bytes) -> bytes | None:
        """A file's content with metadata and manifest; None if the format has no place for them.

        Raises:
            InputError: if the certificate cannot be used.
        """
        place = container(content)
        if place is None:
            return None
        marked = place.with_packet(content, packet(self.origin, _hash(content), self.cn))
        if not self.eu:
            return marked
        return manifests.sign(marked, place.media, self.origin, self.marker.chain, self.marker.key)

    def result(self, content: bytes) -> bytes:
        """The content of a file that the model made of a given one, with its marks. Pixels are marked if it is a PNG
        with eight bits for each color.

        Raises:
            InputError: as `samples` and `content` do, and if it is a PNG of more bits that needs a label.
        """
        place = container(content)
        if place is None:
            return content
        if place.media == PNG:
            with PngImageFile(io.BytesIO(content)) as image:  # Image.open would refuse a large one
                profile, full = image.info.get("icc_profile"), "RGBA" if "transparency" in image.info else "RGB"
                pixels = np.asarray(image.convert(full) if image.mode in ("P", "1") else image)
            if pixels.dtype != np.uint8:
                if self.cn:
                    raise InputError(
                        "a PNG of more than eight bits gets no label; do not use --mark cn with this model"
                    )
            else:
                frames = self.pixels(pixels.reshape(1, *pixels.shape[:2], -1))
                file = io.BytesIO()
                as_image(frames[0]).save(file, "PNG", icc_profile=profile)
                content = file.getvalue()
        return self.content(content) or content

    def headers(self, content: bytes) -> dict[str, str]:
        """Headers of a response with content whose format has no place for marks: a signed statement as JSON."""
        return {} if container(content) is not None else {HEADER: json.dumps(self.statement(content))}

    def statement(self, content: bytes) -> sidecars.Content:
        """What is said of content whose format has no place for it.

        Raises:
            InputError: if the certificate cannot be used.
        """
        said = self.said() | {"sha256": _hash(content)}
        if self.cn:
            said["AIGC"] = aigc(self.origin, said["sha256"])
        return sidecars.signed(said, self.marker.chain, self.marker.key)

    def said(self) -> dict[str, str]:
        """What is said of any content."""
        return {"digitalSourceType": GENERATED, **asdict(self.origin)}

    def written(self, path: Path) -> str | None:
        """Mark a file, or the files of a folder, after it was written.

        Returns:
            The text of the sidecar that has to lie beside the file, if its format has no place for marks. Those of the
            files of a folder are written into it.
        """
        if not path.is_dir():
            content = path.read_bytes()
            marked = self.content(content)
            if marked is None:
                return as_json(self.statement(content)) + "\n"
            path.write_bytes(marked)
            return None
        for file in sorted(one for one in path.rglob("*") if one.is_file() and one.name != MARKER):
            if (text := self.written(file)) is not None:
                write_text(sidecars.beside(file), text)
        return None


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
