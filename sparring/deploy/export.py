"""`export(run)` writes a model as one file, for programs that know nothing of Sparring."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from sparring.console import Screen
from sparring.deploy.compress import halved, quantised
from sparring.deploy.graph import CPU, Graph, graph
from sparring.deploy.measure import Exported, Way, measured, verified
from sparring.deploy.prune import Batch, prunable, pruned
from sparring.deploy.quality import Data, Quality
from sparring.deploy.runtime import EXACT, Session, alone, converted, described
from sparring.deploy.wrappers import InBytes
from sparring.errors import InputError, nearest
from sparring.files import vacant, write_bytes
from sparring.model import SINGLE, Model, describe, load
from sparring.seeds import Seeds, reseed

SUFFIXES = {"onnx": ".onnx", "safetensors": SINGLE}
CALIBRATED, PICTURES = 512, 32  # draws, or given pictures, by which eight-bit numbers learn how large the others get
AT_ONCE, FEW = 64, 8  # samples of a batch of the fine-tuning, and pictures where these are given
# What a file tells of the training: nothing of the machine, or of where the data lay.
TOLD = ("name", "items", "step", "seconds", "seed", "scores", "parameters", "pruned", "sparring", "torch")


@dataclass(frozen=True)
class Asked:
    """What of a model is exported, and how.

    Attributes:
        in_bytes: pictures as bytes.
        int8, half: how it is kept.
        prune: share of channels that are cut out.
        reverse: the other way.
    """

    in_bytes: bool = False
    int8: bool = False
    half: bool = False
    prune: float = 0.0
    reverse: bool = False

    @property
    def learns(self) -> bool:
        """Whether what the model was trained on, or draws of it, is looked at."""
        return self.int8 or self.prune > 0

    @property
    def compressed(self) -> str:
        """How, in a few words."""
        ways = [f"{self.prune:.0%} pruned"] if self.prune else []
        return ", ".join([*ways, *(["int8"] if self.int8 else []), *(["half"] if self.half else [])])


def export(
    run: str | Path | Model,
    out: str | Path | None = None,
    format: str = "",
    in_bytes: bool = False,
    int8: bool = False,
    half: bool = False,
    prune: float = 0.0,
    reverse: bool = False,
    force: bool = False,
    quiet: bool = True,
) -> Exported:
    """Write a model as one file.

    Args:
        run: a model, the folder of a run, or a model in one file.
        out: the file; beside the run and named like it, with the format's suffix, unless given.
        format: "onnx" for a graph that ONNX Runtime and others run, "safetensors" for what `sparring.load` reads; by
            the suffix of `out`, or "onnx", unless given.
        in_bytes: pictures as bytes (n, h, w, c), in an ONNX file.
        int8: weights, and what goes into convolutions and matrix products, in eight bits, in an ONNX file.
        half: weights in sixteen bits.
        prune: share of channels that are cut out of G, which is fine-tuned afterwards; 0 for none.
        reverse: the other way, for models of two ways, in an ONNX file.
        force: overwrite.
        quiet: show no progress.

    Raises:
        InputError: where the model cannot be exported so, or what ONNX Runtime makes is not what PyTorch makes.
    """
    place, format = _place(run, out, format)
    asked = Asked(in_bytes, int8, half, prune, reverse)
    if format == "safetensors":
        for given, option in ((in_bytes, "--bytes"), (int8, "--int8"), (reverse, "--reverse")):
            if given:
                raise InputError(f"{option} is for --format onnx, but {place} is to be a whole model; leave it out")
    if prune and not 0 < prune < 1:
        raise InputError(f"--prune {prune:g} is out of range; it must be above 0 and below 1")
    vacant(place, force)
    screen = Screen(quiet)
    model = run if isinstance(run, Model) else load(run)
    model = Model(model.recipe, model.modality, copy.deepcopy(model.game).to(CPU), model.about)
    if prune:
        prunable(model)
    with torch.random.fork_rng([]):
        return (_weights if format == "safetensors" else _graph)(model, asked, place, screen)


def _place(run: str | Path | Model, out: str | Path | None, format: str) -> tuple[Path, str]:
    """Where the file goes, and its format."""
    place, format = _named(run, out, format)
    if not isinstance(run, Model) and place.resolve() == Path(run).resolve():
        raise InputError(f"{place} is what is to be exported; name another file with -o")
    return place, format


def _named(run: str | Path | Model, out: str | Path | None, format: str) -> tuple[Path, str]:
    by_suffix = {suffix: name for name, suffix in SUFFIXES.items()}
    if format and format not in SUFFIXES:
        raise InputError(f"--format {format} is not known; {nearest(format, SUFFIXES)}")
    if out is None:
        format = format or "onnx"
        if isinstance(run, Model):
            return Path(f"{run.recipe.name}-{run.about.get('name', 'model')}{SUFFIXES[format]}"), format
        whole = Path(run).resolve()
        name = whole.stem if whole.suffix == SINGLE and whole.is_file() else whole.name
        return Path(run).parent / f"{name}{SUFFIXES[format]}", format
    place = Path(out)
    known = by_suffix.get(place.suffix.lower())
    if known is None or (format and known != format):
        wanted = SUFFIXES[format] if format else " or ".join(by_suffix)
        raise InputError(f"{place}: cannot write {format or 'a model'} as {place.suffix!r}; name it {wanted}")
    return place, known


def _graph(model: Model, asked: Asked, place: Path, screen: Screen) -> Exported:
    """Write an ONNX file."""
    whole = graph(model, asked.in_bytes, asked.reverse)
    proto = _traced(whole, model, screen)
    file = described(proto, whole, _content(model))
    ways = [
        Way("PyTorch", 0, lambda given: whole.net(*given)),
        Way("ONNX Runtime", len(file), Session(file)),
    ]
    quality = None
    if asked.compressed:
        data = Data(model, screen, asked.learns)
        quality = Quality(data, whole, asked.reverse) if data.judges else None
        file = _smaller(model, asked, proto, whole, data, screen)
        ways.append(Way(asked.compressed, len(file), Session(file)))
    found = _compared(whole, ways, quality, screen)
    write_bytes(place, file)
    return replace(found, path=place, size=len(file))


def _traced(given: Graph, model: Model, screen: Screen) -> Any:
    """A graph as ONNX has it, which makes what PyTorch makes."""
    with screen.progress("tracing"):
        proto = converted(given, model.recipe.name)
        session, name, edges = Session(proto.SerializeToString()), model.recipe.name, model.modality.kind == "rows"
        if isinstance(given.net, InBytes):
            exact = given.net.exact
            verified(given, lambda inputs: exact(*inputs), partial(session, output=EXACT), name, edges)
        verified(given, lambda inputs: given.net(*inputs), session, name, edges)
    alone(proto)
    return proto


def _smaller(model: Model, asked: Asked, proto: Any, given: Graph, data: Data, screen: Screen) -> bytes:
    """An ONNX file of the compressed model."""
    if asked.prune:
        model = _narrower(model, data, asked.prune, screen)
        given = graph(model, asked.in_bytes, asked.reverse)
        proto = _traced(given, model, screen)
    if asked.int8:
        many, at_once = (PICTURES, FEW) if model.modality.source is not None else (CALIBRATED, AT_ONCE)
        draws = data.inputs(given, many, "calibration", asked.reverse, held=False)
        parts = list(zip(*(torch.split(x, at_once) for x in draws), strict=True))
        with screen.progress("quantising"):
            proto = quantised(proto, given.names, parts)
    if asked.half:
        halved(proto)
    return described(proto, given, _content(model))


def _narrower(model: Model, data: Data, share: float, screen: Screen) -> Model:
    with screen.progress("fine-tuning") as progress:
        reseed(Seeds().key("pruned"), CPU)
        return pruned(model, share, partial(_batch, model, data, False), progress, partial(_batch, model, data, True))


def _batch(model: Model, data: Data, reverse: bool) -> Batch:
    """What G makes samples of: latents and labels as they are drawn for samples, or pictures."""
    if model.modality.source is not None:
        assert data.prepared is not None
        rows = data.prepared.train
        return torch.zeros(FEW, 0), data.pictures(rows[torch.randint(len(rows), (FEW,))], reverse)[0]
    z = model.game.draw(AT_ONCE, CPU)
    return z, model.modality.draw_conditions(AT_ONCE, CPU) if model.game.conditional else None


def _compared(given: Graph, ways: Sequence[Way], quality: Quality | None, screen: Screen) -> Exported:
    """All ways to run a model, beside one another."""
    with screen.progress("measuring") as progress:
        found = measured(given, ways, () if quality is None else quality.inputs, progress)
        if quality is None:
            return Exported(Path(), 0, tuple(found))
        found = [replace(v, quality=quality.of(way.run)) for v, way in zip(found, ways, strict=True)]
    return Exported(Path(), 0, tuple(found), quality.name, quality.floor, quality.protocol)


def _content(model: Model) -> dict[str, Any]:
    """A model as JSON has it, with what may be told of its training."""
    about = {name: model.about[name] for name in TOLD if name in model.about}
    return describe(model.recipe, model.modality) | {"about": about}


def _weights(model: Model, asked: Asked, place: Path, screen: Screen) -> Exported:
    """Write a safetensors file."""
    if not asked.compressed:
        model.save(place, force=True)
        return Exported(place, place.stat().st_size)
    data = Data(model, screen, asked.learns)
    small = _narrower(model, data, asked.prune, screen) if asked.prune else model
    with tempfile.TemporaryDirectory() as folder:
        before, after = (Path(folder) / f"{name}{SINGLE}" for name in ("before", "after"))
        model.save(before)
        small.save(after, half=asked.half)
        found, content = _reloaded(model, before, after, asked, data, screen), after.read_bytes()
    write_bytes(place, content)
    return replace(found, path=place, size=len(content))


def _reloaded(model: Model, before: Path, after: Path, asked: Asked, data: Data, screen: Screen) -> Exported:
    """What a file of a compressed model holds, read again, beside the model as it was."""
    again = load(after)
    try:
        whole, small = graph(model), graph(again)
    except InputError as error:
        screen.say(f"what compressing costs is not measured: {error}")
        return Exported(after, 0)
    ways = [
        Way("PyTorch", before.stat().st_size, lambda given: whole.net(*given)),
        Way(asked.compressed, after.stat().st_size, lambda given: small.net(*given)),
    ]
    return _compared(whole, ways, Quality(data, whole) if data.judges else None, screen)
