"""`export(run)` writes a model as one file, for programs without Sparring."""

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
from sparring.deploy.compress import halve, quantized
from sparring.deploy.graph import InBytes, graph
from sparring.deploy.measure import Exported, Run, Runner, measured, verified
from sparring.deploy.prune import MAX_SHARE, Batch, prunable, pruned
from sparring.deploy.quality import Data, Quality
from sparring.deploy.runtime import EXACT, Session, converted, described, keep_first_output
from sparring.errors import InputError, nearest
from sparring.files import check_output, resolved, write_bytes
from sparring.games.graph import CPU, Graph
from sparring.model import SINGLE, Model, describe, load
from sparring.model.hub import beside
from sparring.seeds import Seeds, reseed

SUFFIXES = {"onnx": ".onnx", "safetensors": SINGLE}
CALIBRATION_SAMPLES, CALIBRATION_ITEMS = 512, 32  # drawn inputs, or given items, from which quantization learns ranges
BATCH_SIZE, GIVEN_BATCH_SIZE = 64, 8  # samples in a batch of the fine-tuning, from noise and from given items
# The part of the training record that a file contains: nothing about the machine, or where the data were.
PUBLIC_RECORD = ("name", "items", "step", "seconds", "seed", "scores", "parameters", "pruned", "sparring", "torch")


@dataclass(frozen=True)
class Options:
    """How a model is exported.

    Attributes:
        in_bytes: values as bytes.
        int8, half: precision of the stored weights.
        prune: share of the channels that are removed.
        reverse: the opposite direction.
    """

    in_bytes: bool = False
    int8: bool = False
    half: bool = False
    prune: float = 0.0
    reverse: bool = False

    @property
    def needs_data(self) -> bool:
        """True if compressing a model that transforms given items needs such items."""
        return self.int8 or self.prune > 0

    @property
    def compression(self) -> str:
        """A name for tables; "" if the model is not compressed."""
        names = [f"{self.prune:.0%} pruned"] if self.prune else []
        return ", ".join([*names, *(["int8"] if self.int8 else []), *(["half"] if self.half else [])])


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
    trust: bool = False,
) -> Exported:
    """Write a model as one file.

    Args:
        run: a model, the folder of a run, or a model in one file.
        out: the file; unless given, next to the run, with its name and the format's suffix.
        format: "onnx" for a graph that ONNX Runtime and other programs run, "safetensors" for the whole model, which
            `sparring.load` reads. Unless given, the suffix of `out` decides, or it is "onnx".
        in_bytes: images as bytes (n, h, w, c), in an ONNX file.
        int8: weights, and the inputs of convolutions and matrix products, in eight bits, in an ONNX file.
        half: weights in sixteen bits.
        prune: share of the channels that are removed from G, which is fine-tuned afterwards; 0 for none.
        reverse: the opposite direction, for models that learned both, in an ONNX file.
        force: overwrite an existing file.
        quiet: show no progress.
        trust: as for `sparring.load`.

    Raises:
        InputError: if the model cannot be exported in this way, or ONNX Runtime does not compute what PyTorch does.
    """
    place, format = place_of(run, out, format)
    options = Options(in_bytes, int8, half, prune, reverse)
    if format == "safetensors":
        for given, option in ((in_bytes, "--bytes"), (int8, "--int8"), (reverse, "--reverse")):
            if given:
                raise InputError(f"{option} is for --format onnx, but {place} will hold a whole model; remove {option}")
    if prune and not 0 < prune <= MAX_SHARE:
        raise InputError(f"--prune {prune:g} is out of range; it must be above 0 and at most {MAX_SHARE:g}")
    check_output(place, force)
    screen = Screen(quiet)
    model = run if isinstance(run, Model) else load(run, trust=trust)
    model = Model(model.recipe, model.modality, copy.deepcopy(model.game).to(CPU), model.about)
    if prune:
        prunable(model)
    with torch.random.fork_rng([]):
        return (_write_model if format == "safetensors" else _write_graph)(model, options, place, screen)


def place_of(run: str | Path | Model, out: str | Path | None, format: str) -> tuple[Path, str]:
    """The path of the file, and its format.

    Args:
        run, out, format: as for `export`.

    Raises:
        InputError: if the format is unknown, or the file would replace the model.
    """
    if format and format not in SUFFIXES:
        raise InputError(f"--format {format} is unknown; {nearest(format, SUFFIXES)}")
    if out is None:
        format = format or "onnx"
        place = _default_place(run, SUFFIXES[format])
    else:
        place, format = Path(out), _format_of(Path(out), format)
    if not isinstance(run, Model) and resolved(place) == resolved(Path(run)):
        raise InputError(f"{place} is the model that is exported; name another file with -o")
    return place, format


def _default_place(run: str | Path | Model, suffix: str) -> Path:
    if isinstance(run, Model):
        return Path(f"{run.recipe.name}-{run.about.get('name', 'model')}{suffix}")
    place = beside(run)
    whole = resolved(place)
    name = whole.stem if whole.suffix == SINGLE and whole.is_file() else whole.name
    return place.parent / f"{name}{suffix}"


def _format_of(place: Path, format: str) -> str:
    """The format of a path, which must agree with the one that was given, if any."""
    by_suffix = {suffix: name for name, suffix in SUFFIXES.items()}
    suffix = place.suffix.lower()
    if suffix not in by_suffix or (format and by_suffix[suffix] != format):
        suffixes = SUFFIXES[format] if format else " or ".join(by_suffix)
        raise InputError(f"{place}: cannot write {format or 'a model'} as {place.suffix!r}; name it {suffixes}")
    return by_suffix[suffix]


def _write_graph(model: Model, options: Options, place: Path, screen: Screen) -> Exported:
    """Write an ONNX file."""
    whole = graph(model, options.in_bytes, options.reverse)
    proto = _converted(whole, model, screen)
    file = described(proto, whole, _content(model))
    runners = [Runner("PyTorch", 0, _run(whole)), Runner("ONNX Runtime", len(file), Session(file))]
    quality = None
    if options.compression:
        data = Data(model, screen, options.needs_data)
        quality = Quality(data, whole, options.reverse) if data.can_judge else None
        file = _compressed(model, options, proto, whole, data, screen)
        runners.append(Runner(options.compression, len(file), Session(file)))
    exported = _compared(whole, runners, quality, screen)
    write_bytes(place, file)
    return replace(exported, path=place, size=len(file))


def _run(whole: Graph) -> Run:
    """Runs a graph's net in PyTorch."""
    return lambda inputs: whole.net(*inputs)


def _converted(whole: Graph, model: Model, screen: Screen) -> Any:
    """A graph as an ONNX proto that has been verified against PyTorch."""
    with screen.progress("converting"):
        name, discrete = model.recipe.name, model.modality.discrete
        proto = converted(whole, name)
        session = Session(proto.SerializeToString())
        if isinstance(whole.net, InBytes):
            exact = whole.net.exact
            verified(whole, lambda inputs: exact(*inputs), partial(session, output=EXACT), name, discrete)
        verified(whole, _run(whole), session, name, discrete)
    keep_first_output(proto)
    return proto


def _compressed(model: Model, options: Options, proto: Any, whole: Graph, data: Data, screen: Screen) -> bytes:
    """The ONNX file of the compressed model."""
    if options.prune:
        model = _pruned(model, data, options.prune, screen)
        whole = graph(model, options.in_bytes, options.reverse)
        proto = _converted(whole, model, screen)
    if options.int8:
        from_noise = model.modality.source is None
        n, size = (CALIBRATION_SAMPLES, BATCH_SIZE) if from_noise else (CALIBRATION_ITEMS, GIVEN_BATCH_SIZE)
        inputs = data.inputs(whole, n, "calibration", options.reverse, held=False)
        batches = list(zip(*(torch.split(x, size) for x in inputs), strict=True))
        with screen.progress("quantizing"):
            proto = quantized(proto, [spec.name for spec in whole.inputs], batches)
    if options.half:
        halve(proto)
    return described(proto, whole, _content(model))


def _pruned(model: Model, data: Data, share: float, screen: Screen) -> Model:
    with screen.progress("fine-tuning") as progress:
        reseed(Seeds().key("pruned"), CPU)
        return pruned(model, share, partial(_batch, model, data, False), progress, partial(_batch, model, data, True))


def _batch(model: Model, data: Data, reverse: bool) -> Batch:
    """Latents and conditions as they are drawn for samples; given items are conditions."""
    if model.modality.source is not None:
        assert data.dataset is not None
        rows = data.dataset.train
        chosen = rows[torch.randint(len(rows), (GIVEN_BATCH_SIZE,))]
        return torch.zeros(GIVEN_BATCH_SIZE, 0), data.pairs(chosen, reverse)[0]
    z = model.game.draw(BATCH_SIZE, CPU)
    return z, model.modality.draw_conditions(BATCH_SIZE, CPU) if model.game.conditional else None


def _compared(whole: Graph, runners: Sequence[Runner], quality: Quality | None, screen: Screen) -> Exported:
    """Measurements of all runners."""
    with screen.progress("measuring") as progress:
        variants = measured(whole, runners, () if quality is None else quality.inputs, progress)
        if quality is None:
            return Exported(Path(), 0, tuple(variants))
        variants = [replace(v, quality=quality.of(runner.run)) for v, runner in zip(variants, runners, strict=True)]
    return Exported(Path(), 0, tuple(variants), quality.name, quality.floor, quality.protocol)


def _content(model: Model) -> dict[str, Any]:
    """A model as JSON, with the public part of its training record."""
    about = {name: model.about[name] for name in PUBLIC_RECORD if name in model.about}
    return describe(model.recipe.portable(), model.modality.portable()) | {"about": about}


def _write_model(model: Model, options: Options, place: Path, screen: Screen) -> Exported:
    """Write a safetensors file."""
    if not options.compression:
        model.portable().save(place, force=True)
        return Exported(place, place.stat().st_size)
    data = Data(model, screen, options.needs_data)
    smaller = _pruned(model, data, options.prune, screen) if options.prune else model
    with tempfile.TemporaryDirectory() as folder:
        before, after = (Path(folder) / f"{name}{SINGLE}" for name in ("before", "after"))
        model.portable().save(before)
        smaller.portable().save(after, half=options.half)
        exported, content = _reloaded(model, before, after, options, data, screen), after.read_bytes()
    write_bytes(place, content)
    return replace(exported, path=place, size=len(content))


def _reloaded(model: Model, before: Path, after: Path, options: Options, data: Data, screen: Screen) -> Exported:
    """Measurements of the file of a compressed model, read back, next to those of the model before."""
    again = load(after, trust=True)
    try:
        whole, smaller = graph(model), graph(again)
    except InputError as error:
        screen.say(f"the cost of compression is not measured: {error}")
        return Exported(after, 0)
    runners = [
        Runner("PyTorch", before.stat().st_size, _run(whole)),
        Runner(options.compression, after.stat().st_size, _run(smaller)),
    ]
    return _compared(whole, runners, Quality(data, whole) if data.can_judge else None, screen)
