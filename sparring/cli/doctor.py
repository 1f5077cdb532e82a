"""The command that says what works on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from sparring.cli.app import app
from sparring.console import Console, say
from sparring.signing import VARIABLE, given

if TYPE_CHECKING:
    from packaging.requirements import Requirement

GIB = 2**30
MIN_DISK, MIN_MEMORY = 2 * GIB, 4 * GIB  # below, long trainings are likely to stop
PACKAGE = "sparring"


@dataclass(frozen=True)
class Entry:
    """One line of the report.

    Attributes:
        advice: what to do about it; "" if nothing needs to be done.
    """

    name: str
    found: str
    advice: str = ""


def show_version(wanted: bool) -> None:
    """Print the version and end, for `--version`."""
    if wanted:
        say(f"{PACKAGE} {metadata.version(PACKAGE)}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[  # noqa: ARG001
        bool, typer.Option("--version", help="Show the version and exit.", callback=show_version, is_eager=True)
    ] = False,
    verify_key: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="FILE", help="Load only models that were signed with the key of this public key."),
    ] = None,
) -> None:
    """Train, evaluate, explore and deploy generative adversarial networks."""
    if verify_key is not None:  # the environment hands it to other processes, such as those that the studio starts
        os.environ[VARIABLE] = str(given(verify_key, "--verify-key"))


@app.command(epilog="Example:\n\n  sparring doctor")
def doctor() -> None:
    """Show what works on this machine: devices, memory, disk, data, optional parts; and what to do about the rest."""
    from rich.markup import escape
    from rich.table import Table

    console, advice = Console(soft_wrap=True), []
    for title, entries in (
        ("Versions", versions()),
        ("Devices", devices()),
        ("Space", space()),
        ("Optional parts", optional_parts()),
    ):
        table = Table(box=None, pad_edge=False, show_header=False, title_justify="left")
        table.add_column(no_wrap=True)
        table.add_column()
        console.print(f"[bold]{title}[/]")
        for entry in entries:
            table.add_row(f"  {escape(entry.name)}", escape(entry.found))
            advice += [f"{entry.name}: {entry.advice}"] if entry.advice else []
        console.print(table)
    for each in advice:
        say(f"- {each}")
    say("" if advice else "Everything that was checked works.")


def versions() -> Iterator[Entry]:
    import platform

    yield Entry("Sparring", metadata.version(PACKAGE))
    yield Entry("Python", f"{platform.python_version()}, {platform.system()} {platform.machine()}")
    for name in ("torch", "lightning-fabric", "numpy"):
        yield Entry(name, metadata.version(name))


def devices() -> Iterator[Entry]:
    """Each device that computes: its precisions, and whether it really adds up numbers."""
    import os

    import torch

    from sparring.devices import has_bf16

    bf16 = "fp32 and bf16" if has_bf16(torch.device("cpu")) else "fp32 (bf16 works, but is not faster)"
    threads = torch.get_num_threads()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    few = "" if threads >= cores else f"only {threads} of {cores} cores are used; unset OMP_NUM_THREADS to use all"
    yield Entry("cpu", f"{cores} cores, {threads} threads, {bf16}", few)
    for i in range(torch.cuda.device_count()):
        device, properties = torch.device("cuda", i), torch.cuda.get_device_properties(i)
        has = "fp32 and bf16" if has_bf16(device) else "fp32"
        yield Entry(str(device), f"{properties.name}, {properties.total_memory / GIB:.0f} GiB, {has}", _tried(device))
    if torch.backends.mps.is_available():
        yield Entry("mps", "Apple GPU, fp32", _tried(torch.device("mps")))
    if torch.version.cuda and not torch.cuda.is_available():
        advice = "update the NVIDIA driver, or train with --device cpu"
        yield Entry("cuda", f"PyTorch is built for CUDA {torch.version.cuda}, but finds no card", advice)


def _tried(device: object) -> str:
    """What is wrong with a device; "" if it computes."""
    import torch

    from sparring.errors import one_line

    try:
        right = bool((torch.ones(4, 4, device=device) @ torch.ones(4, 4, device=device) == 4).all())  # type: ignore[call-overload]
    except RuntimeError as error:
        return f"it does not compute ({one_line(error)}); update its driver, or install another build of PyTorch"
    return "" if right else "it computes wrong results; do not train on it"


def space() -> Iterator[Entry]:
    """Memory, free disk, and the folders with data sets and with what is kept between runs."""
    from sparring.files import cached, places
    from sparring.memory import memory

    there = memory()
    yield Entry("memory", f"{there / GIB:.1f} GiB", "" if there >= MIN_MEMORY else "small; give small values of batch")
    cache = cached("")
    kept = sum(path.stat().st_size for path in cache.rglob("*") if path.is_file())
    yield _disk("this folder", Path.cwd(), "")
    yield _disk("cache", cache, f", {kept / GIB:.1f} GiB used (safe to delete)" if kept else "")
    for place in (place for place in places("") if place != cache):
        sets = sorted(path.name for path in place.iterdir() if path.is_dir()) if place.is_dir() else []
        missing = "" if place.is_dir() else "the folder does not exist; correct SPARRING_DATA"
        yield Entry("data sets", f"{place}: {', '.join(sets) or 'none'}", missing)


def _disk(name: str, place: Path, used: str) -> Entry:
    import shutil

    existing = next(each for each in (place, *place.parents) if each.is_dir())
    free = shutil.disk_usage(existing).free
    advice = "" if free >= MIN_DISK else f"only {free / GIB:.1f} GiB are free; runs need room for checkpoints"
    return Entry(name, f"{place}, {free / GIB:.0f} GiB free{used}", advice)


def optional_parts() -> Iterator[Entry]:
    """The extras, and which of their packages are missing."""
    from packaging.requirements import Requirement

    declared = [Requirement(text) for text in metadata.requires(PACKAGE) or ()]
    extras = sorted(set(metadata.metadata(PACKAGE).get_all("Provides-Extra") or ()) - {"all", "dev", "docs"})
    for extra in extras:
        missing = sorted(set(_missing(extra, declared)))
        found = f"missing: {', '.join(missing)}; pip install 'sparring[{extra}]'" if missing else "installed"
        yield Entry(extra, found)


def _missing(extra: str, declared: list[Requirement]) -> Iterator[str]:
    """Packages of an extra that are not installed, or too old."""
    for requirement in declared:
        if requirement.marker is None or not requirement.marker.evaluate({"extra": extra}):
            continue
        if requirement.name == PACKAGE:  # an extra that contains others
            for inner in requirement.extras:
                yield from _missing(inner, declared)
            continue
        try:
            installed = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            yield str(requirement.name)
            continue
        if not requirement.specifier.contains(installed, prereleases=True):
            yield f"{requirement.name}{requirement.specifier} ({installed} is installed)"
