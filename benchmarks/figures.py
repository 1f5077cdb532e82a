"""The figures and tables of the docs: which are older than the code that made them, and how to make them again.

    python benchmarks/figures.py [PAGE ...] [--make]

Lists every measured page of the docs with the commit that last changed it, and the newest commit of the code that it
measures. With --make, runs the commands of the stale pages, or of the named ones, one after the other; most train for
minutes to hours, and need the data sets under SPARRING_DATA. A page is named by its path, such as docs/tables.md.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
CORE = ("sparring/loop.py", "sparring/losses", "sparring/layers", "sparring/games", "sparring/training")
IMAGES = (*CORE, "sparring/nets", "sparring/recipes", "sparring/modalities/images")
TRANSLATION = (*IMAGES, "sparring/modalities/translation")
SOUNDS = (
    *CORE, "sparring/nets", "sparring/recipes", "sparring/modalities/audio", "sparring/modalities/audio_translation",
)  # fmt: skip
BENCH = ("sparring/bench", "sparring/evaluation", "sparring/metrics", "docs/bench")


@dataclass(frozen=True)
class Page:
    """A measured page.

    Attributes:
        path: of the page.
        command: that measures it again and writes it.
        code: files and folders of the code that it measures.
    """

    path: str
    command: str
    code: tuple[str, ...]


def _bench(page: str, command: str) -> Page:
    return Page(
        f"docs/bench/{page}.md", f"sparring bench {command} --budget cpu --page docs/bench", (*CORE, *BENCH[:3])
    )


PAGES = (
    Page("docs/pictures.md", "benchmarks/pictures.py --page docs/pictures.md", IMAGES),
    Page("docs/quality.md", "benchmarks/quality.py --time 10m", (*IMAGES, *BENCH[:3])),
    Page("docs/step.md", "benchmarks/step.py --page docs/step.md", CORE),
    Page("docs/gpu.md", "benchmarks/gpu.py runs/gpu --page docs/gpu.md", (*CORE, "sparring/nets")),
    Page("docs/judging.md", "benchmarks/features.py --page docs/judging.md", ("sparring/nets/pretrained.py", BENCH[2])),
    Page("docs/disk.md", "benchmarks/disk.py --page docs/disk.md", ("sparring/data", "sparring/modalities/images")),
    Page("docs/tables.md", "benchmarks/tables.py --page docs/tables.md", (*CORE, "sparring/modalities/tables")),
    Page("docs/series.md", "benchmarks/series.py --page docs/series.md", (*CORE, "sparring/modalities/series")),
    Page("docs/audio.md", "benchmarks/audio.py --page docs/audio.md", (*CORE, "sparring/modalities/audio")),
    Page("docs/scale.md", "benchmarks/scale.py --page docs/scale.md", (*CORE, "sparring/shards.py")),
    Page(
        "docs/provenance.md", "benchmarks/provenance.py --time 10m --page docs/provenance.md",
        (*IMAGES, "sparring/provenance"),
    ),
    Page(
        "docs/joint.md", "benchmarks/joint.py --page docs/joint.md",
        (*IMAGES, "sparring/modalities/joint", "sparring/modalities/tables"),
    ),
    Page(
        "docs/pictures-with-a-table.md",
        "benchmarks/characters.py --time 120m --page docs/pictures-with-a-table.md",
        (*IMAGES, "sparring/evaluation/condition_check.py"),
    ),
    Page(
        "docs/video.md",
        "benchmarks/video.py --data walks weizmann --time 5m --seeds 2 --set size=32 --page docs/video.md",
        (*CORE, "sparring/modalities/video"),
    ),
    Page(
        "docs/predicting.md",
        "benchmarks/video.py --data weizmann --recipes predict --time 6m --seeds 1 --out runs/predicting --page "
        "docs/predicting.md --set size=32 width=16 D=16 batch=8",
        (*CORE, "sparring/modalities/video", "sparring/modalities/video_completion", "sparring/nets/completion.py"),
    ),
    Page(
        "docs/flicker.md",
        "benchmarks/flicker.py --time 3m --page docs/flicker.md --set width=16 depth=3 D=16 batch=8 size=48",
        (*TRANSLATION, "sparring/modalities/video", "sparring/modalities/video_restoration"),
    ),
    Page("docs/music.md", "benchmarks/music.py --page docs/music.md", (*CORE, "sparring/modalities/music")),
    Page(
        "docs/molecules.md",
        "benchmarks/molecules.py moses conditions qm9 --page docs/molecules.md",
        (*CORE, "sparring/modalities/molecules"),
    ),
    Page(
        "docs/designing-molecules.md",
        "benchmarks/goal_directed.py --page docs/designing-molecules.md",
        (*CORE, "sparring/modalities/molecules", "sparring/recipes/organ.py"),
    ),
    Page("docs/text.md", "benchmarks/text.py --page docs/text.md", (*CORE, "sparring/modalities/text")),
    Page("docs/translating.md", "benchmarks/translate.py --page docs/translating.md", TRANSLATION),
    Page("docs/restoring.md", "benchmarks/restore.py --page docs/restoring.md", TRANSLATION),
    Page("docs/perceptual.md", "benchmarks/perceptual.py --page docs/perceptual.md", TRANSLATION),
    Page("docs/restoring-sounds.md", "benchmarks/vocoder.py --page docs/restoring-sounds.md", SOUNDS),
    Page("docs/exploring.md", "benchmarks/explore.py --page docs/exploring.md", (*IMAGES, "sparring/explore")),
    Page(
        "docs/privacy.md",
        "benchmarks/privacy.py adult=2m mnist=60m --page docs/privacy.md",
        (*CORE, "sparring/privacy"),
    ),
    Page("docs/privacy.md", "benchmarks/attacks.py --page docs/privacy.md", (*CORE, "sparring/evaluation")),
    Page("docs/installing.md", "benchmarks/installed.py --page docs/installing.md", ("pyproject.toml",)),
    Page("docs/coming-from.md", "benchmarks/imports.py", ("sparring/nets", "sparring/recipes/peers")),
    Page("docs/exporting.md", "benchmarks/export.py --page docs/exporting.md", ("sparring/deploy", "sparring/games")),
    Page("docs/serving.md", "benchmarks/serve.py --page docs/serving.md", ("sparring/deploy/serve",)),
    Page("docs/augmenting.md", "benchmarks/augment.py --page docs/augmenting.md", (*IMAGES, "sparring/use")),
    _bench("ring", "ring"),
    _bench("ring-1m", "ring --seeds 2 --time 1m"),
    _bench("grid", "grid"),
    _bench("grid-1m", "grid --seeds 1 --time 1m"),
    _bench("stacked-mnist", "stacked-mnist"),
    _bench("mnist", "mnist"),
    _bench("mnist-10m", "mnist --time 10m"),
    _bench("mnist-codes", "mnist-codes"),
    _bench("fashion-mnist", "fashion-mnist"),
    _bench("fashion-mnist-6m", "fashion-mnist --time 6m"),
    _bench("grocery", "grocery"),
    Page("docs/recipes", "sparring recipes --page docs/recipes", ("sparring/recipes", "docs/bench")),
)  # fmt: skip


def commit(paths: tuple[str, ...]) -> tuple[int, str]:
    """Time and day of the newest commit that changed one of some paths."""
    command = ["git", "log", "-1", "--format=%ct %cs", "--", *paths]
    time, day = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    return int(time), day


def stale(page: Page) -> bool:
    """True if the code is newer than the page."""
    return commit(page.code)[0] > commit((page.path,))[0]


def show(pages: list[Page]) -> None:
    """A table of pages, with the days of page and code."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("page", "measured", "code", "", "command"):
        table.add_column(name, no_wrap=True)
    for page in pages:
        state = "[yellow]older than its code[/]" if stale(page) else "[green]up to date[/]"
        table.add_row(page.path, commit((page.path,))[1], commit(page.code)[1], state, page.command)
    Console(soft_wrap=True, width=200).print(table)


def make(page: Page) -> int:
    """Measure a page again. Returns the command's exit status."""
    program, *rest = shlex.split(page.command)
    first = [str(Path(sys.executable).parent / "sparring")] if program == "sparring" else [sys.executable, program]
    print(f"\n$ {page.command}", flush=True)
    return subprocess.run([*first, *rest], cwd=ROOT, check=False).returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="*", metavar="PAGE", help="a page, such as docs/tables.md")
    parser.add_argument("--make", action="store_true", help="measure stale pages, or the named ones, again")
    given = parser.parse_args()
    known = {page.path: page for page in PAGES}
    for name in given.pages:
        if name not in known:
            parser.error(f"{name} is not a measured page; choose from {', '.join(known)}")
    pages = [known[name] for name in given.pages] or list(PAGES)
    show(pages)
    if not given.make:
        return 0
    return max([0, *(make(page) for page in pages if given.pages or stale(page))])


if __name__ == "__main__":
    sys.exit(main())
