"""Items of several parts: whether the parts belong together, and what one part tells of another.

    python benchmarks/joint.py [TASK ...] --data DATA --page docs/joint.md

Each task trains recipe joint and its rival joint_chain for the same time; characters also the pictures alone. The names
of the tasks are below. `--time 0.1` trains for a tenth of the time.
"""

from __future__ import annotations

import argparse
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pandas
import torch

import joint_film
from pages import table
from runs import computed_once, cost, evaluated_once, run_tasks, trained
from sparring import Model
from sparring.console import Screen
from sparring.data.tensors import VALUES
from sparring.evaluation.evaluate import training_data
from sparring.metrics.results import Evaluation
from sparring.modalities.joint.judge import JointJudge, joint_judge

MINUTES = 50.0  # of each run of characters
SPOKEN = 30.0  # of digits
OTHERS = 20.0  # of each other run
SAMPLES = 1000  # by which parts are judged on their own
OWN = ("fid", "frechet", "precision", "recall")  # metrics of parts on their own that are shown
ASKED = 500  # items that are asked for by each part
RECIPES = ("joint", "joint_chain")
TOLD = ("kind", "hat", "top", "legs")  # attributes that a caption tells


def joint_of(model: Model) -> JointJudge:
    """The judge of whole items, without those of the parts."""
    return joint_judge(model.modality, training_data(model), None, {}, lambda _: None)  # type: ignore[arg-type]


def asked(model: Model, judge: JointJudge) -> dict[str, tuple[float, float]]:
    """For each two parts, how well the second one belongs to the first if the first one of a held-out item is given:
    the share of the columns that are read alike off both, or of items that the matcher prefers; and that of real items.
    """
    joint, layout, matcher = judge.joint, judge.joint.layout, judge.matcher
    rows = judge.unseen[:ASKED]
    real = matcher.split(judge.tensors, rows)
    values = torch.cat([part.flatten(1) for part in real], 1)
    found: dict[str, tuple[float, float]] = {}
    fields = torch.arange(len(joint.parts)).repeat_interleave(torch.tensor(layout.fields))
    for i, given in enumerate(joint.parts):
        known = (fields == i).float().expand(len(rows), -1)
        condition = layout.condition(known, torch.ones(len(rows), len(joint.parts)), values)
        torch.manual_seed(0)
        z = model.game.draw(len(rows), model.device)
        with torch.no_grad():
            made = model.generate(z, condition.to(model.device))[VALUES].cpu()
        parts = layout.split(joint.scale(joint.unscale(made)))
        for name, share in _pairs(judge, parts, i).items():
            found[f"{given.name} to {name}"] = (share, _pairs(judge, real, i)[name])
    return found


def _pairs(judge: JointJudge, parts: list[torch.Tensor], given: int) -> dict[str, float]:
    """How well every other part belongs to a given one."""
    numbers = {number.name: number.value for number in judge.numbers(parts)}
    names = [part.name for part in judge.joint.parts]
    measure = "agreement" if judge.joint.row is not None else "matching"
    pairs = {(a, b): f"{measure}[{a},{b}]" for a in names for b in names}
    others = [name for i, name in enumerate(names) if i != given]
    return {
        other: numbers.get(pairs[names[given], other], numbers.get(pairs[other, names[given]], float("nan")))
        for other in others
    }


def together(evaluation: Evaluation) -> list[str]:
    """Names of the numbers of whole items."""
    return [n.name for n in evaluation.numbers if n.name.startswith(("matching", "retrieval", "agreement", "fid[tog"))]


def compared(
    options: argparse.Namespace, task: str, data: Path | str, minutes: float, pictures: Evaluation | None = None,
    **fields: Any,
) -> list[str]:  # fmt: skip
    """Tables of both recipes on a data set.

    Args:
        pictures: of a model of the pictures alone, for the same time.
    """
    models = {name: trained(options, f"{task}-{name}", name, data, minutes, **fields) for name in RECIPES}
    judge = joint_of(models[RECIPES[0]])
    evaluations = {
        name: evaluated_once(
            options.runs / f"{task}-{name}", model, None,
            compute=lambda model=model: judge.evaluate(model, None, 0, Screen(True)), judge="joint",
        )
        for name, model in models.items()
    }  # fmt: skip
    first = evaluations[RECIPES[0]]
    names = together(first)
    body = [
        ["real", *(_shown(first.of_real(name), name) for name in names), ""],
        ["shuffled", *(_shown(first.of_baseline("shuffled", name), name) for name in names), ""],
    ]
    for name, evaluation in evaluations.items():
        body.append([f"**{name}**", *(_shown(evaluation[n], n) for n in names), cost(models[name])])
    turned = [list(column) for column in zip(["", *names, "training"], *body, strict=True)]
    lines = table(turned[0], turned[1:])
    directions = {
        name: computed_once(options.runs / f"{task}-{name}", lambda model=model: asked(model, judge), items=ASKED)
        for name, model in models.items()
    }
    rows = [
        [way, f"{real:.1%}", *(f"{directions[name][way][0]:.1%}" for name in RECIPES)]
        for way, (_, real) in directions[RECIPES[0]].items()
    ]
    if options.page:
        first_model, name = models[RECIPES[0]], f"joint-{task}"
        _sheet(first_model, options.page.parent / f"{name}.png")
        print(joint_film.write(first_model, options.page.parent / f"{name}.webp"), flush=True)
        shown = [f"![samples]({name}.png)", "", f"![a walk through the latents of all parts]({name}.webp)"]
        lines = [*shown, "", *lines]
    lines += ["", *table(["given, and made", "real", *RECIPES], rows)]
    whole = evaluated_once(options.runs / f"{task}-joint", models[RECIPES[0]], samples=SAMPLES)
    return [*lines, "", *on_their_own(whole, [part.name for part in judge.joint.parts], pictures)]


def on_their_own(whole: Evaluation, parts: list[str], pictures: Evaluation | None) -> list[str]:
    """A table of how good each part is on its own.

    Args:
        pictures: of a model of the pictures alone.
    """
    names = [
        n.name for n in whole.numbers if n.name.startswith(tuple(f"{part} {own}" for part in parts for own in OWN))
    ]
    rows = [[name, _shown(whole.of_real(name), name), _shown(whole[name], name)] for name in names]
    if pictures is None:
        return table(["each part", "real", RECIPES[0]], rows)
    alone = {f"picture {n.name}": _shown(n.value, n.name) for n in pictures.numbers}
    rows = [[*row, alone.get(row[0], "")] for row in rows]
    return table(["each part", "real", RECIPES[0], "r3gan_strided of pictures"], rows)


def _shown(value: float, name: str) -> str:
    return f"{value:.3g}" if "fid" in name or "frechet" in name else f"{value:.1%}"


def _sheet(model: Model, path: Path) -> None:
    model.sample(12, seed=1).preview().quantize(256).save(path, optimize=True)


# The tasks.


def characters(options: argparse.Namespace) -> list[str]:
    """Pictures with the twelve attributes of each, and the pictures alone by the same nets for the same time."""
    data, fields = options.data / "characters" / "characters.zip", {"size": 32}
    alone = trained(options, "characters-alone", "r3gan_strided", data, MINUTES, labels=False, **fields)
    pictures = evaluated_once(options.runs / "characters-alone", alone, samples=SAMPLES)
    return compared(options, "characters", data, MINUTES, pictures, **fields)


def digits(options: argparse.Namespace) -> list[str]:
    """Spoken and written digits, matched by class."""
    data = options.data / "fsdd" / "recordings.zip"
    return compared(options, "digits", data, SPOKEN, match=str(options.data / "mnist"))


def captions(options: argparse.Namespace) -> list[str]:
    """Characters, captions that a grammar makes from four of their attributes, and these, by which both are read."""
    folder = _unpacked(options, "characters.zip", "captions")
    frame = pandas.read_csv(options.data / "characters" / "characters.csv", keep_default_na=False)
    captioned = frame.assign(caption=[caption(row) for row in frame.to_dict("records")])
    captioned[["file", "caption", *TOLD]].to_csv(folder / "captions.csv", index=False)
    return compared(options, "captions", folder / "captions.csv", OTHERS, size=32)


def caption(row: dict[str, str]) -> str:
    """What a character is and wears, such as "an orc with teal pants and a chain hood on the head"."""
    article = "an" if row["kind"][0] in "aeiou" else "a"
    forms = {"legs": "{}", "top": "a {} top", "hat": "a {} on the head"}
    worn = [form.format(row[name]) for name, form in forms.items() if row[name] != "none"]
    return f"{article} {row['kind']}" + (f" with {' and '.join(worn)}" if worn else "")


def walks(options: argparse.Namespace) -> list[str]:
    """Films of characters that walk, with where they walk and their attributes."""
    folder = _unpacked(options, "walks.zip", "walks")
    frame = pandas.read_csv(options.data / "characters" / "characters.csv", keep_default_na=False)
    by_number = {Path(file).stem: row for file, row in zip(frame["file"], frame.to_dict("records"), strict=True)}
    lines = [
        {**by_number[path.stem], "file": path.relative_to(folder).as_posix(), "direction": path.parent.name}
        for path in sorted(folder.rglob("*.gif"))
        if path.stem in by_number
    ]
    pandas.DataFrame(lines).to_csv(folder / "walks.csv", index=False)
    return compared(options, "walks", folder / "walks.csv", OTHERS, size=32)


def _unpacked(options: argparse.Namespace, archive: str, name: str) -> Path:
    """A folder with the files of an archive of the characters."""
    folder: Path = options.runs / "data" / name
    if not folder.is_dir():
        part = folder.with_name(f"{name}.part")
        shutil.rmtree(part, ignore_errors=True)
        with zipfile.ZipFile(options.data / "characters" / archive) as file:
            file.extractall(part)
        part.rename(folder)
    return folder


TASKS = {"characters": characters, "digits": digits, "captions": captions, "walks": walks}

if __name__ == "__main__":
    run_tasks(__file__, (__doc__ or "").split("\n")[0], TASKS)
