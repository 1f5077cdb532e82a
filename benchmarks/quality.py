"""Which recipe for images gives the best samples in the same time?

    python benchmarks/quality.py [--sets characters ...] [--rows fastgan ...] [--time 10m] [--seeds 1]
    python benchmarks/quality.py --tried [--time 5m]
    python benchmarks/quality.py --sets

Trains recipes on each set for the same CPU time of one thread, measures them, and writes `docs/quality.md`
with strips of samples beside it. With --tried, trains changes of the default instead. Each result is added to a JSON
file in `docs/quality/`, and a result that is there is not measured again: a table is filled by several commands, and on
several machines. An interrupted run continues. Without sets, the page is written from the results that are there.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from PIL import Image
from torch import Tensor

from clock import count_cpu_time
from sparring import recipes
from sparring.bench.page import cells
from sparring.bench.play import Measured, run_row
from sparring.bench.table import Column, Numbers, Row, Table
from sparring.console import Screen
from sparring.data.tensors import VALUES
from sparring.evaluation import cache
from sparring.evaluation.real import Real, read
from sparring.files import as_plain, atomic_path, write_json, write_text
from sparring.json_files import read_json
from sparring.metrics.copies import NEAR, memorization, nearest
from sparring.metrics.frechet import frechet, moments
from sparring.metrics.kernel import kernel_distance_of_few
from sparring.metrics.neighbours import neighbours, radii
from sparring.metrics.patches import patches
from sparring.modalities import Images, find
from sparring.model import Model, load
from sparring.nets import pretrained
from sparring.sheets import sheet
from sparring.training.bounds import seconds

SAMPLES = 1000
UNSEEN = 1000  # images at most that samples are compared with
TRAINED = 4000  # training images at most among which copies are searched for in features
BATCH = 100  # images whose features are computed together
HUNDRED = 100  # training images of the set `hundred`
STRIP = 12  # samples
MAX_BYTES = 40_000  # of a strip with all its colors
FEATURES = ("imagenet", "patches")
COLUMNS = (
    Column("fid[imagenet]", ".2f"), Column("fid[patches]", ".3f"),
    Column("kid[imagenet]", ".3f"), Column("kid_error[imagenet]", ".3f"),
    Column("coverage[imagenet]", ".1%"), Column("coverage[patches]", ".1%"),
    Column("memorization[imagenet]", ".2f"), Column("near_copy_share", ".1%"), Column("samples/s", ",.0f"),
)  # fmt: skip
PROTOCOL = (
    "Each row is trained on one thread for the same CPU time, with its scores, sheets and checkpoints. "
    f"{SAMPLES:,} samples, for labels or attributes as they occur in the data if it has any, are compared with up to "
    f"{UNSEEN:,} images of the set that no row was trained on. fid: Fréchet distance of as many samples as there are "
    "such images; kid: kernel distance over all pairs, with its jackknife error over the unseen images; coverage: "
    "share of the unseen images with a sample nearby. imagenet: features of EfficientNet-Lite0; patches: statistics of "
    "random filters. memorization[imagenet]: probability that a sample is nearer to a training image "
    f"(of {TRAINED:,} at most) than an unseen image is: 0.5 for new samples, 1 for copies. near_copy_share: samples "
    "within 13 of 255 levels of a training image. Real data: training images in place of samples, so that the columns "
    "of copies have no floor. [The metrics](judging.md)."
)


@dataclass(frozen=True)
class Set:
    """A set of images.

    Attributes:
        data: its name.
        about: for the page.
        fields: settings of recipes whose own default is no augmentation, for a set of this size.
    """

    data: str
    about: str
    fields: Mapping[str, Any] = field(default_factory=dict)


SETS = {
    "characters": Set("characters", "8,000 sprites of 64 pixels with transparency and a table", {"augment": "ada"}),
    "grocery": Set("grocery", "2,640 photographs of 64 pixels in 43 classes", {"augment": "ada"}),
    "fashion-mnist": Set("fashion-mnist", "60,000 gray images of 28 pixels in ten classes"),
    "hundred": Set(
        "grocery/Apple", f"{HUNDRED} of the 278 photographs of apples of grocery, without labels; judged by the others",
        {"augment": "places", "batch": 16},
    ),
}  # fmt: skip
# Default fields of r3gan_strided in version 0.1, where later ones differ.
OLD: dict[str, Any] = {}
TRIED_SETS = ("characters", "grocery", "fashion-mnist")
TRIED = (
    Row("r3gan_strided", {"lr": 2e-3, "lr_end": 2e-4}, "twice the learning rate"),
    Row("r3gan_strided", {"lazy": 16}, "R1 and R2 half as often"),
    Row("r3gan_strided", {"batch": 32}, "twice as many steps"),
    Row("benchmarks/tried/one_pass.py", {}, "one pass of D for both players"),
    Row("benchmarks/tried/half_d.py", {}, "half of the channels in D"),
)  # changes of the default
PLACES = (
    Row("r3gan_strided", {"augment": "places"}, "moves and holes in place of ADA"),
    Row("r3gan_strided", {"augment": "places", "batch": 16}, "the same with four times as many steps"),
)  # of photographs
GROWING = Row("benchmarks/tried/growing.py", {}, "at a quarter and at half of the resolution first")  # from 64 pixels


def systems(name: str, limit: float) -> dict[str, Row]:
    """The rows of a set by their names on the command line; the recipe that `recipes.choose` names is the default."""
    fields = SETS[name].fields
    augment = {k: v for k, v in fields.items() if k == "augment"}
    rows = {
        "old": Row("r3gan_strided", OLD | fields, "the default of version 0.1"),
        "r3gan_strided": Row("r3gan_strided", fields),
        "fastgan": Row("fastgan"),
        "projected": Row("projected"),
        "stylegan2": Row("stylegan2", {"base": 512, "most": 64, **augment}, "narrow, for a CPU"),
        "latent": Row("latent"),
    }
    rows = {key: row for key, row in rows.items() if row.recipe in recipes.names() and (OLD or key != "old")}
    chosen, _ = recipes.choose(find(SETS[name].data), "cpu", limit)
    for key, row in rows.items():
        if recipe_of(row) == chosen:
            return rows | {key: Row(row.recipe, row.fields, ", ".join(filter(None, (row.note, "the default"))))}
    own = asdict(recipes.find(chosen.name))
    changed = {key: value for key, value in asdict(chosen).items() if value != own[key]}
    return {"default": Row(chosen.name, changed, "the default"), **rows}


def changes(name: str) -> dict[str, Row]:
    """The default of a set, and changes of it."""
    fields, tried = SETS[name].fields, TRIED if name == "fashion-mnist" else (*TRIED, GROWING)
    tried = (*tried, *PLACES) if name == "grocery" else tried
    rows = [
        Row("r3gan_strided", fields, "the default"),
        *(Row(r.recipe, {**fields, **r.fields}, r.note) for r in tried),
    ]
    return {row.name: row for row in rows}


def recipe_of(row: Row) -> recipes.Recipe[Any]:
    return recipes.find(row.recipe).set(row.fields)


# Measuring.


class Pictures:
    """The real images of a set: those that recipes are trained on, and others."""

    def __init__(self, name: str) -> None:
        items = find(SETS[name].data)
        self.real: Real = read(Images().fit(items), items)[0]
        train, unseen = self.real.data.train, self.real.data.held
        if name == "hundred":
            rows = _shuffled(torch.cat([train, unseen]).sort().values)
            train, unseen = rows[:HUNDRED], rows[HUNDRED:]
        self.train, self.unseen = _shuffled(train), _shuffled(unseen)[:UNSEEN]

    def images(self, rows: Tensor) -> Tensor:
        """Images (n, channels, size, size) in [-1, 1]."""
        return self.real.modality.scale(self.real.data.part(VALUES, rows))

    def features(self, name: str, rows: Tensor) -> Tensor:
        """Features (n, d), from the user's cache if they have been computed before."""
        return torch.cat([self._cached(name, part) for part in rows.split(SAMPLES)])

    def _cached(self, name: str, rows: Tensor) -> Tensor:
        about = f"{name} {self.real.data.fingerprint} {self.real.modality.shape}".encode()
        digest = blake2b(about + rows.numpy().tobytes(), digest_size=12).hexdigest()
        place = cache.place(f"features-{digest}.safetensors")
        if stored := cache.recall(place):
            return safetensors.torch.load(stored)["features"]
        found = features(name, self.images(rows))
        cache.keep(place, safetensors.torch.save({"features": found}))
        return found


def _shuffled(rows: Tensor) -> Tensor:
    return rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))]


@lru_cache
def pictures(name: str) -> Pictures:
    return Pictures(name)


@torch.no_grad()
def features(name: str, images: Tensor) -> Tensor:
    """Features (n, d) of images."""
    compute = pretrained.load(name) if name == "imagenet" else patches
    return torch.cat([compute(part).float() for part in images.split(BATCH)])


def compared(of: Pictures, found: Mapping[str, Tensor]) -> Numbers:
    """Distances and coverage of samples or images with these features."""
    numbers: Numbers = {}
    for kind, fake in found.items():
        real = of.features(kind, of.unseen)
        distance = kernel_distance_of_few(fake, real)
        n = min(len(fake), len(real))
        numbers |= {
            f"fid[{kind}]": frechet(moments(fake[:n]), moments(real)),
            f"kid[{kind}]": distance.value,
            f"kid_error[{kind}]": distance.error,
            f"coverage[{kind}]": neighbours(real, fake[:n], reach=radii(real)).coverage,
        }
    return numbers


def measure(name: str, model: Model) -> Numbers:
    """The metrics of a model."""
    of, modality = pictures(name), model.modality
    samples = torch.cat([modality.scale(modality.unscale(x[VALUES])) for x, _ in model.stream(SAMPLES, seed=0)])
    found = {kind: features(kind, samples) for kind in FEATURES}
    trained = of.features("imagenet", of.train[:TRAINED])
    usual, _ = nearest(of.features("imagenet", of.unseen), trained)
    near = torch.full((len(samples),), torch.inf)
    for rows in of.train.split(SAMPLES):
        near = near.minimum(nearest(samples, of.images(rows))[0])
    return compared(of, found) | {
        "memorization[imagenet]": memorization(nearest(found["imagenet"], trained)[0], usual),
        "near_copy_share": float((near < NEAR).float().mean()),
        "samples/s": model.speed,
    }


def ideal(name: str) -> Numbers:
    """The metrics of training images in place of samples."""
    of = pictures(name)
    return compared(of, {kind: of.features(kind, of.train[:SAMPLES]) for kind in FEATURES})


def training_file(name: str, runs: Path) -> Path:
    """The file with the training images of the set `hundred`."""
    path = runs / f"{name}.npz"
    if not path.is_file():
        of = pictures(name)
        with atomic_path(path) as part, part.open("wb") as file:
            np.savez_compressed(file, images=of.real.data.part(VALUES, of.train).permute(0, 2, 3, 1).numpy())
    return path


def table(name: str, rows: Sequence[Row]) -> Table:
    """The table of a set, as the bench trains and shows it."""
    return Table(
        name=f"quality-{name}",
        title=name,
        protocol=PROTOCOL,
        data=SETS[name].data,
        columns=COLUMNS,
        published=(),
        rows=tuple(rows),
        plans={},
        measure=lambda model, device, screen: measure(name, model),  # noqa: ARG005
        ideal=lambda device, screen: ideal(name),  # noqa: ARG005
        part=(lambda seed, runs: training_file(name, runs)) if name == "hundred" else None,  # noqa: ARG005
    )


# Results.


class Results:
    """The results of a set after a time, in a JSON file. Those of a row whose settings have changed are ignored."""

    def __init__(self, folder: Path, name: str, time: str, tried: bool) -> None:
        self.set, self.time, self.tried = name, time, tried
        self.path = folder / f"{'tried-' if tried else ''}{name}-{time}.json"

    @property
    def rows(self) -> dict[str, Row]:
        return changes(self.set) if self.tried else systems(self.set, seconds(self.time))

    @property
    def content(self) -> dict[str, Any]:
        return read_json(self.path, dict[str, Any]) if self.path.is_file() else {"real": {}, "rows": {}}

    def runs(self, row: Row) -> dict[str, dict[str, Any]]:
        """The results of a row by seed."""
        stored = self.content["rows"].get(row.name, {})
        current = {"recipe": as_plain(asdict(recipe_of(row))), "protocol": PROTOCOL}
        return stored["seeds"] if all(stored.get(key) == value for key, value in current.items()) else {}

    def add(self, row: Row, seed: int, measured: Measured) -> None:
        """Add a result. The file is read again, because another command may have added one."""
        seeds = self.runs(row) | {str(seed): {"numbers": measured.numbers, "machine": measured.machine}}
        content = self.content
        content["real"] = ideal(self.set)
        content["rows"][row.name] = {
            "recipe": as_plain(asdict(recipe_of(row))), "protocol": PROTOCOL, "seeds": dict(sorted(seeds.items())),
        }  # fmt: skip
        write_json(self.path, content)

    def strip(self, row: str) -> Path:
        return self.path.with_name(f"{self.path.stem}-{row.replace(' ', '-')}.png")

    def draw(self, row: Row, model: Model) -> None:
        """Draw samples of a model, and as many real images."""
        _write(sheet(model.sample(STRIP, seed=0).items, STRIP), self.strip(row.name))
        of = pictures(self.set)
        real = of.real.data.part(VALUES, of.unseen[:STRIP]).permute(0, 2, 3, 1).numpy()
        _write(sheet(real, STRIP), self.strip("real"))

    # The page.

    def section(self) -> list[str]:
        """The table of the results, what is missing in it, and the strips."""
        rows = {key: row for key, row in self.rows.items() if self.runs(row)}
        if not rows:
            return []
        ours = [
            {"name": row.name, "numbers": [run["numbers"] for run in self.runs(row).values()]} for row in rows.values()
        ]
        shown = {"published": [], "real": self.content["real"], "ours": ours}
        head, *body = cells(shown, table(self.set, list(rows.values())))
        lines = [f"### {self.set}, {self.time}", "", f"{SETS[self.set].about}.", ""]
        lines += ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 2) + "---|"]
        lines += ["| " + " | ".join(row) + " |" for row in body]
        missing = [key for key in self.rows if key not in rows]
        lines += ["", f"Not measured yet: {', '.join(missing)}."] if missing else []
        return [*lines, "", *([] if self.tried else self._strips([row.name for row in rows.values()]))]

    def _strips(self, rows: Sequence[str]) -> list[str]:
        """The strips of real images and of rows, one above the other."""
        paths = {name: self.strip(name) for name in ("real", *rows)}
        shown = [f"| {name} | ![{name}]({path.parent.name}/{path.name}) |" for name, path in paths.items()]
        return ["| | samples |", "|---|---|", *shown, ""]

    def machines(self) -> list[str]:
        return [run["machine"] for row in self.rows.values() for run in self.runs(row).values()]


def _write(picture: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, optimize=True)
    if path.stat().st_size > MAX_BYTES:
        picture.quantize(256).save(path, optimize=True)


def page(folder: Path) -> str:
    """The page with all results of a folder."""
    found: list[Results] = []
    for path in folder.glob("*.json"):
        tried = path.stem.startswith("tried-")
        name, _, time = path.stem.removeprefix("tried-").rpartition("-")
        found.append(Results(folder, name, time, tried))
    found.sort(key=lambda results: (seconds(results.time), list(SETS).index(results.set)))
    parts = {tried: [line for r in found if r.tried == tried for line in r.section()] for tried in (False, True)}
    machines = " and ".join(dict.fromkeys(machine for results in found for machine in results.machines()))
    made = (
        f"Measured on {machines}. ± is the standard deviation over seeds. `python benchmarks/quality.py` writes this."
    )
    lines = ["# The quality of images in the same time", "", PROTOCOL, "", made, "", *parts[False]]
    if parts[True]:
        lines += ["## What we tried", "", "Changes of the default, trained in the same way.", "", *parts[True]]
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="*", default=None, choices=list(SETS), help="all unless given")
    parser.add_argument("--rows", nargs="*", default=[], help="names of rows; all unless given")
    parser.add_argument("--time", default="10m", help="CPU time of a training")
    parser.add_argument("--seeds", type=int, default=1, help="number of runs of each row")
    parser.add_argument("--tried", action="store_true", help="train changes of the default")
    parser.add_argument("--runs", type=Path, default=Path("runs/quality"), help="folder of the runs")
    parser.add_argument("--page", type=Path, default=Path("docs/quality.md"))
    given = parser.parse_args()
    torch.set_num_threads(1)
    count_cpu_time()
    screen, folder = Screen(), given.page.with_suffix("")
    for name in (TRIED_SETS if given.tried else SETS) if given.sets is None else given.sets:
        results = Results(folder, name, given.time, given.tried)
        rows = results.rows
        for key in given.rows or rows:
            if key not in rows:
                parser.error(f"{name} has no row {key!r}; choose from {', '.join(rows)}")
        for seed in range(given.seeds):
            for key in given.rows or rows:
                fill(results, rows[key], seed, given.runs, screen)
                write_text(given.page, page(folder))
    write_text(given.page, page(folder))


def fill(results: Results, row: Row, seed: int, runs: Path, screen: Screen) -> None:
    """Train and measure a row, unless its result is there."""
    if str(seed) in results.runs(row):
        return
    place = runs / results.path.stem / f"{row.name.replace(' ', '-').replace('/', '-')}-{seed}"
    place.parent.mkdir(parents=True, exist_ok=True)
    bound = {"time": results.time}
    measured = run_row(table(results.set, [row]), row, seed, bound, place, "cpu", screen)
    results.add(row, seed, measured)
    if seed == 0 and not results.tried:
        results.draw(row, load(place, "cpu"))


if __name__ == "__main__":
    main()
