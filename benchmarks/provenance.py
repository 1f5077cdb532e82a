"""Watermark and detector of docs/provenance.md: how many pictures are rightly and wrongly named, and at what cost.

    python benchmarks/provenance.py --page docs/provenance.md

Trains the runs that do not exist yet, then a watermark and a detector. Runs and watermark are stored, and not trained
again. False positives are counted on all real pictures of the set.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from torch import Tensor

import sparring
from clock import count_cpu_time
from pages import put, table
from runs import trained_once
from sparring import Model
from sparring.console import Screen
from sparring.files import write_json
from sparring.metrics.frechet import frechet, moments
from sparring.provenance.degradations import DEGRADATIONS
from sparring.provenance.detecting import trained as trained_detector
from sparring.provenance.detector import Detector
from sparring.provenance.pictures import pictures
from sparring.provenance.training import SAMPLES, identities
from sparring.provenance.watermark import (
    BITS,
    Watermark,
    judge,
    message,
    share_named,
    train,
)

DATA = "grocery"  # 64 pixels
RECIPES = {  # of the runs; the first one's samples are watermarked
    "fastgan": {}, "dcgan": {"width": 16, "batch": 32}, "r3gan_strided": {"width": 16, "batch": 32},
    "lsgan": {"width": 16, "batch": 32},
}  # fmt: skip
UNSEEN = "lsgan"
MODELS = 10  # that are known
MARKED = 500  # samples that are watermarked
FEATURES = "patches"  # in which the distance to real pictures is measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "part", nargs="*", default=["watermark", "detector"], help="watermark, detector; others for the page alone"
    )
    parser.add_argument("--runs", type=Path, default=Path("runs/bench-provenance"))
    parser.add_argument("--time", default="10m", help="training time of each run")
    parser.add_argument("--steps", type=int, default=3000, help="of the training of the watermark")
    parser.add_argument("--detector-steps", type=int, default=600, help="of the training of the detector")
    parser.add_argument("--samples", type=int, default=2000, help="of each run, for the detector")
    parser.add_argument("--page", type=Path, help="write the tables to this Markdown file, between its two marks")
    given = parser.parse_args()
    counted = count_cpu_time()
    models = {name: trained(given, name) for name in RECIPES}
    if "watermark" in given.part:
        write_json(given.runs / "watermark.json", watermarked(given, models[next(iter(RECIPES))]))
    if "detector" in given.part:
        detected(given)
    if given.page:
        lines = [*watermark_lines(given.runs), "", *detector_lines(given.runs), "", command(given, counted)]
        put(given.page, __file__, lines)


def command(given: argparse.Namespace, counted: str) -> str:
    """The command that computes the tables, with its settings."""
    settings = f"--time {given.time} --steps {given.steps} --detector-steps {given.detector_steps}"
    return f"`python benchmarks/provenance.py {settings} --samples {given.samples}`, {counted}."


def trained(given: argparse.Namespace, name: str) -> Model:
    """The model of a run, trained if it does not exist."""
    return trained_once(name, DATA, given.runs / name, given.time, **RECIPES[name])


def watermarked(given: argparse.Namespace, model: Model) -> dict[str, object]:
    """How a watermark does on samples of a model that it was trained with, and on real pictures."""
    file = given.runs / "watermark.safetensors"
    found = pictures(model, MARKED, Screen(), seed=1)
    if file.is_file():
        mark = Watermark.load(file)
    else:
        mark = train([found.train, pictures(model, SAMPLES, Screen()).samples], given.steps, progress=told)
        mark.save(file)
    fresh, real, steps = found.samples, torch.cat([found.held, found.train]), given.steps
    judged = judge(mark, fresh, identities(MODELS))
    judged |= {"steps": steps, "real": len(real), "run_steps": int(model.about["step"])}
    for name in DEGRADATIONS:
        judged[name]["falsely"] = falsely(mark, real, name)
    return judged | {"distance": distances(model, mark, fresh, found.held)}


def told(done: int, total: int) -> None:
    """Print progress now and then."""
    if done % 100 == 0:
        print(f"{done} of {total} steps", flush=True)


def falsely(mark: Watermark, real: Tensor, degradation: str) -> float:
    """Share of real pictures that are named after a degradation."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return share_named(mark, real.permute(0, 2, 3, 1).numpy(), DEGRADATIONS[degradation], identities(MODELS))


def distances(model: Model, mark: Watermark, samples: Tensor, real: Tensor) -> dict[str, float]:
    """Fréchet distance of samples to held-out pictures, without and with the watermark."""
    items = samples.permute(0, 2, 3, 1).numpy()
    marked = torch.from_numpy(mark.embed(items, message(identities(1)[0]))).permute(0, 3, 1, 2)
    found = [model.modality.features({"values": x.float() * (2 / 255) - 1}) for x in (real, samples, marked)]
    real_moments, *others = (moments(one) for one in found)
    return dict(zip(("without", "with"), (float(frechet(one, real_moments)) for one in others), strict=True))


def detected(given: argparse.Namespace) -> None:
    """A detector of all runs but one, which it is judged with."""
    known = [str(given.runs / name) for name in RECIPES if name != UNSEEN]
    unseen = [str(given.runs / UNSEEN)]
    detector = trained_detector(known, unseen, Screen(), given.detector_steps, samples=given.samples)
    detector.save(given.runs / "detector", force=True)


def share(value: float) -> str:
    return f"{value:.2%}"


def watermark_lines(runs: Path) -> list[str]:
    """The table of the watermark, and how it was measured."""
    judged = json.loads((runs / "watermark.json").read_text())
    head = ("after", "samples named", "real pictures named")
    body = [(name, share(judged[name]["named"]), share(judged[name]["falsely"])) for name in DEGRADATIONS]
    distance = judged["distance"]
    return [
        *table(head, body),
        "",
        f"{judged['pictures']:,} samples of `{next(iter(RECIPES))}` ({judged['run_steps']:,} steps) on {DATA} at "
        f"64 x 64 pixels, and all {judged['real']:,} real pictures, most of which the watermark was trained on; "
        f"{judged['models']} models are known, and {judged['bits']} of {BITS} bits must agree. The watermark was "
        f"trained for {judged['steps']:,} steps.",
        "",
        f"**Cost**: PSNR {judged['psnr']:.1f} dB; Fréchet distance to held-out pictures in the features `{FEATURES}` "
        f"{distance['without']:.3f} without the watermark, {distance['with']:.3f} with it.",
    ]


def detector_lines(runs: Path) -> list[str]:
    """The table of the detector, and how it was measured."""
    judged = Detector.load(runs / "detector").about["judged"]
    head = ("pictures", "accuracy", "AUC", "TPR at 1% FPR", "calibration error")
    body = [
        (name, share(judged[name]["accuracy"]), *(f"{judged[name][metric]:.3f}" for metric in ("auc", "tpr", "ece")))
        for name in DEGRADATIONS
    ]
    known = ", ".join(f"`{name}`" for name in RECIPES if name != UNSEEN)
    (unseen,) = judged["unseen"].values()
    steps = ", ".join(f"`{name}` {sparring.load(runs / name).about['step']:,}" for name in RECIPES)
    return [
        f"**Detector** of {known}:", "", *table(head, body), "",
        f"{judged['real']:,} held-out pictures and {judged['generated']:,} samples, none of which it was trained or "
        f"calibrated on. Of the samples of `{UNSEEN}`, a recipe that it does not know, it takes {share(unseen)} for "
        f"generated. **Steps of the trainings**: {steps}. The fewer they are, the farther samples are from "
        "photographs, and the easier they are to recognize.",
    ]  # fmt: skip


if __name__ == "__main__":
    main()
