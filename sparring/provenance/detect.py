"""`detect(files, detector)` says which pictures models have generated, and shows what gave them away."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sparring.errors import InputError
from sparring.files import write_text
from sparring.folders import check_folder, output_folder
from sparring.modalities.samples import as_image
from sparring.provenance.degradations import DEGRADATIONS
from sparring.provenance.detector import SOURCES, SURE, Described, Detector, Verdict
from sparring.provenance.watermark import as_values

DETECTED = "detected"  # in the marker of a folder of results
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")
MIN_MAP = 256  # pixels of the longer side of a heat map
GENERATED, REAL = (214, 39, 40), (31, 119, 180)  # colors of evidence for and against
OPACITY = 0.7  # of the strongest evidence

Found = Sequence[tuple[Path, Verdict]]


def detect(
    files: Sequence[Path], by: Path, out: Path | None = None, force: bool = False, trust: bool = False
) -> tuple[Found, Detector]:
    """Look at pictures.

    Args:
        files: pictures, and folders of pictures.
        by: folder of a detector.
        out: folder for `detected.csv` and a heat map of each picture; none is written unless given.
        trust: as for `sparring.load`.

    Raises:
        InputError: if there is no such detector, or no picture.
    """
    if out is not None:
        check_folder(out, DETECTED, force)
    detector = Detector.load(by, trust)
    prepared = detector.models[0].modality  # upright, cropped and resized as the pictures of the training were
    found, drawn = [], []
    for path in _pictures(files):
        try:
            pixels = prepared.read_given(path)
        except InputError as error:
            raise InputError(f"{path} is no picture that can be read; leave it out ({error})") from error
        verdict = detector.look(as_values(pixels))
        found.append((path, verdict))
        drawn.append(heat_map(pixels[0], verdict.places) if out is not None else None)
    if out is not None:
        with output_folder(out, DETECTED) as part:
            part.mkdir()
            write_text(part / "detected.csv", _as_csv(found))
            for i, ((path, _), image) in enumerate(zip(found, drawn, strict=True)):
                assert image is not None
                image.save(part / f"{i:04}-{path.stem}.png")
    return found, detector


def _pictures(files: Sequence[Path]) -> Iterator[Path]:
    """Files, and the pictures in folders.

    Raises:
        InputError: if there are none.
    """
    count = 0
    for file in files:
        inside = (one for one in file.rglob("*") if one.suffix.lower() in SUFFIXES) if file.is_dir() else (file,)
        for path in sorted(inside):
            count += 1
            yield path
    if not count:
        raise InputError(f"there are no pictures in {', '.join(map(str, files))}; give {', '.join(SUFFIXES)}")


def heat_map(pixels: NDArray[np.uint8], places: NDArray[np.float32]) -> Image.Image:
    """A picture (h, w, c), and beside it the picture with the evidence of its places: red for generated, blue against.

    Args:
        places: (h', w').
    """
    image = as_image(pixels).convert("RGB")
    times = max(1, round(MIN_MAP / max(image.size)))
    image = image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)
    strength = np.abs(places) / max(float(np.abs(places).max()), 1e-6)
    colors = np.where(places[..., None] > 0, np.array(GENERATED), np.array(REAL)).astype(np.uint8)
    cover = Image.fromarray((strength * OPACITY * 255).astype(np.uint8)).resize(image.size, Image.Resampling.BILINEAR)
    colored = Image.fromarray(colors).resize(image.size, Image.Resampling.NEAREST)
    gray = image.convert("L").convert("RGB")
    page = Image.new("RGB", (2 * image.width, image.height))
    page.paste(image, (0, 0))
    page.paste(Image.composite(colored, gray, cover), (image.width, 0))
    return page


def rows(found: Found) -> list[tuple[str, ...]]:
    """The verdicts as lines of a table, the first of which is its head."""
    head = ("picture", "verdict", "probability", *(f"by {source}" for source in SOURCES))
    return [head, *(
        (str(path), v.words, f"{v.probability:.3f}", *(f"{v.evidence[source]:+.1f}" for source in SOURCES))
        for path, v in found
    )]  # fmt: skip


def _as_csv(found: Found) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows(found))
    return text.getvalue()


def judged_rows(about: Described) -> list[tuple[str, ...]]:
    """How well a detector does, as lines of a table."""
    judged = about["judged"]
    head = ("pictures", "accuracy", "AUC", "TPR at 1% FPR", "calibration error")
    body = [
        (
            name,
            *(
                f"{judged[name][metric]:.{digits}f}"
                for metric, digits in (("accuracy", 3), ("auc", 3), ("tpr", 3), ("ece", 3))
            ),
        )
        for name in DEGRADATIONS
    ]
    unseen = [(f"of {run}, unseen", f"{share:.3f}", "-", "-", "-") for run, share in judged["unseen"].items()]
    return [head, *body, *unseen]


def limits(about: Described) -> Iterator[str]:
    """What has to be known with every verdict, in sentences without an end."""
    judged = about["judged"]
    known = f"recipes {', '.join(about['models'])} on {', '.join(about['data'])}"
    yield (
        f"generated: at least {SURE:.0%} probable if half of the pictures are generated; if fewer are, most of those "
        "that are called generated may be real"
    )
    yield f"it knows {known}, and nothing of other models: not recognized does not mean real"
    shares = ", ".join(f"{name} {judged[name]['accuracy']:.1%}" for name in DEGRADATIONS)
    yield f"accuracy on {judged['real']} held-out pictures and {judged['generated']} samples: {shares}"
    if judged["unseen"]:
        others = ", ".join(f"{run} {share:.1%}" for run, share in judged["unseen"].items())
        yield f"share of samples of unseen models that it recognizes: {others}"
    yield (
        f"pictures unlike {', '.join(about['data'])}, and pictures that were edited, enlarged or photographed from a "
        f"screen, were not tested; all are seen at {about['size']} x {about['size']} pixels"
    )
    yield "by D, spectrum, net: evidence in logits; the heat map shows the net's only"
