"""Chorales and folk tunes: the recipes for music compared with held-out pieces and with trivial baselines.

    python benchmarks/music.py [SET ...] [--time 15m] [--seeds 1] [--runs FOLDER] [--page docs/music.md]

SET is `chorales` (the 382 chorales of Bach, of which 77 are held out; `chorale`, and the same net without D) or
`nottingham` (1,034 tunes with chords; `musegan`). With --page, the tables are written into the page, and sheets, a MIDI
file and a sound beside it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev

import numpy as np

import sparring
from clock import count_cpu_time
from pages import put, table
from runs import evaluated_once, trained_once
from sparring.metrics.results import Evaluation, Number

RUNS = {
    "chorales": {"chorale": ("chorale", {}), "chorale without D": ("chorale", {"alone": 1.0})},
    "nottingham": {"musegan": ("musegan", {})},
}
SHOWN = 4  # pieces on a sheet and in a file
SEED = 7  # of these pieces
MAX_BYTES = 200_000  # of a sound


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", default=list(RUNS))
    parser.add_argument("--time", default="15m", help="time of each training")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--runs", type=Path, default=Path("runs/bench-music"))
    parser.add_argument("--page", type=Path, help="Markdown file for the tables, between its two marks")
    args = parser.parse_args()
    lines: list[str] = []
    counted = count_cpu_time()
    for name in args.sets:
        lines += [f"**{name}**", "", *_measured(name, args), ""]
        print("\n".join(lines[-20:]), flush=True)
    command = f"python benchmarks/music.py {' '.join(args.sets)} --time {args.time} --seeds {args.seeds}"
    lines += [f"`{command}`: at most {args.time} each, {counted}."]
    if args.page:
        put(args.page, __file__, lines)


def _measured(name: str, args: argparse.Namespace) -> list[str]:
    rows: dict[str, list[Sequence[Number]]] = {}
    first: Evaluation | None = None
    files: list[str] = []
    for title, (recipe, fields) in RUNS[name].items():
        for seed in range(args.seeds):
            out = args.runs / f"{title.replace(' ', '-')}-{name}-{args.time}-{seed}"
            model = trained_once(recipe, name, out, args.time, seed=seed, **fields)
            found = evaluated_once(out, model, seed=0)
            print(title, seed, " ".join(f"{n.name} {n}" for n in found.numbers), flush=True)
            rows.setdefault(f"**{title}**, {model.about['seconds'] / 60:.0f} min", []).append(found.numbers)
            if first is None:
                first = found
                files = _shown(model, name, args.page.parent) if args.page else []
    assert first is not None
    rows["real"] = [first.floor]
    rows |= {baseline: [numbers] for baseline, numbers in first.baselines.items()}
    names = [number.name for number in first.numbers]
    body = [[number, *(_cell(runs, number) for runs in rows.values())] for number in names]
    return [*table(["", *rows], body), "", f"{first.protocol}.", "", *files]


def _cell(runs: Sequence[Sequence[Number]], name: str) -> str:
    found = [number for numbers in runs for number in numbers if number.name == name]
    if not found:
        return ""
    if len(found) == 1:
        return str(found[0])
    values = [number.value for number in found]
    shown = "{:.1%}" if found[0].share else "{:.3f}"
    return f"{shown.format(mean(values))} ± {shown.format(stdev(values))}"


def _shown(model: sparring.Model, name: str, folder: Path) -> list[str]:
    """A sheet, a MIDI file and a sound of a few pieces, and the lines of the page that show them."""
    samples = model.sample(SHOWN, seed=SEED)
    samples.save(folder / f"{name}.png", force=True)
    samples.save(folder / f"{name}.mid", force=True)
    sound = folder / f"{name}.ogg"
    _write_ogg(samples.items[0], sound)
    files = f"[as MIDI]({name}.mid), [the first one as sound]({sound.name})"
    return [f"![generated pieces]({name}.png)", "", f"The first {SHOWN} samples of seed {SEED}: {files}."]


def _write_ogg(score: object, path: Path) -> None:
    """The beginning of a piece as Ogg Opus of less than 200 KB."""
    import av

    from sparring.modalities.music.organ import RATE, played

    seconds = 30
    sound = np.round(played(score)[: seconds * RATE] * 32767).astype(np.int16)  # type: ignore[arg-type]
    with av.open(str(path), "w", format="ogg") as file:
        stream = file.add_stream("libopus", rate=RATE, layout="mono")
        stream.bit_rate = 40_000
        frame = av.AudioFrame.from_ndarray(sound[None], format="s16", layout="mono")
        frame.sample_rate = RATE
        for packet in [*stream.encode(frame), *stream.encode()]:
            file.mux(packet)
    assert path.stat().st_size < MAX_BYTES


if __name__ == "__main__":
    main()
