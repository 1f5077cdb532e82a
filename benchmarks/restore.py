"""Restoration: enlarged, inpainted and denoised images, compared with baselines that need no training.

    python benchmarks/restore.py [TASK ...] [--data ../shared/data] [--runs FOLDER] [--time FACTOR]
                                 [--page docs/restoring.md]

TASK is x4, x2, inpaint, enhance or video. x4 and x2 are trained on T91 only and tested on Set5, Set14 and twelve images
of BSD100; inpaint uses Fashion-MNIST; enhance uses PneumoniaMNIST, with a classifier that is trained on clean images
only; video applies the network of x4 to clips. Images are written next to the page.
"""

from __future__ import annotations

import argparse
import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from pages import table
from runs import compared, cost, evaluated_once, run_tasks, save_picture, trained
from sparring import Model
from sparring.data.tensors import VALUES
from sparring.evaluation.classifier import accuracy, train_classifier
from sparring.metrics.image_pairs import flicker
from sparring.modalities import find
from sparring.modalities.translation.baselines import bicubic, median
from sparring.modalities.translation.files.video import Steady
from sparring.modalities.translation.judge import method_of
from sparring.nets.tiles import as_input

SETS = {"Set5": "Set5.zip", "Set14": "Set14.zip", "BSD100 (12)": "BSD100_subset12.zip"}
# Ledig et al. 2016, arXiv:1609.04802, table 2 (all 100 images of BSD100), and section 3.2 for the training: 350,000
# images of ImageNet, a million updates of SRResNet, and 200,000 of SRGAN, on a Tesla M40.
PUBLISHED = [
    ["*SRResNet, published*", "32.05", "28.49", "27.58", "", "", "", "10^6 updates on 350,000 images"],
    ["*SRGAN, published*", "29.40", "26.02", "25.16", "", "", "", "2 * 10^5 more"],
]
MAX_STILL_CHANGE = 6 / 127.5  # of a pixel within a clip that counts as still, for values in [-1, 1]


def _enlarging(options: argparse.Namespace, times: int) -> Model:
    fields = {"degrade": (f"x{times}",), "turn": True, "perceptual": 0.0}  # with it: benchmarks/perceptual.py
    return trained(options, f"x{times}", "srgan", options.data / "superres/T91.zip", 20, **fields)


def enlarged(times: int) -> Callable[[argparse.Namespace], list[str]]:
    def task(options: argparse.Namespace) -> list[str]:
        model = _enlarging(options, times)
        run = options.runs / f"x{times}"
        evaluations = {
            name: evaluated_once(run, model, options.data / "superres" / file) for name, file in SETS.items()
        }
        if times == 4:
            save_picture(options, "restored-x4", evaluations["Set14"])
        body = []
        for baseline, name in (
            ("bicubic", "bicubic"),
            ("without D", "first phase, without D"),
            ("samples", "**srgan**"),
        ):
            row = [name]
            for metric in ("psnr[Y]", "spectral_distance"):
                for each in evaluations.values():
                    value = each[metric] if baseline == "samples" else each.of_baseline(baseline, metric)
                    row.append(f"{value:.2f}")
            body.append([*row, cost(model) if baseline == "samples" else ""])
        head = ["", *(f"{name}, dB" for name in SETS), *(f"{name}, decades" for name in SETS), "training"]
        return table(head, [*body, *(PUBLISHED if times == 4 else [])])

    return task


def inpaint(options: argparse.Namespace) -> list[str]:
    model = trained(options, "inpaint", "inpaint", "fashion-mnist", 12)
    evaluation = evaluated_once(options.runs / "inpaint", model, samples=2000)
    save_picture(options, "restored-inpaint", evaluation)
    metrics = ("mae[holes]", "psnr", "spectral_distance", "kid[patches]")
    return [*compared(evaluation, metrics, model), "", evaluation.protocol + "."]


def enhance(options: argparse.Namespace) -> list[str]:
    data = options.data / "medical/pneumoniamnist_balanced.npz"
    model = trained(options, "enhance", "enhance", data, 10)
    evaluation = evaluated_once(options.runs / "enhance", model)
    save_picture(options, "restored-enhance", evaluation)
    lines = compared(evaluation, ("psnr", "ssim", "spectral_distance", "kid[patches]"), model)
    accuracies = ", ".join(f"{name} {value:.1%}" for name, value in _diagnoses(model, data).items())
    return [
        *lines,
        "",
        evaluation.protocol + ".",
        "",
        f"Accuracy of a classifier trained on clean images, on test images: {accuracies}.",
    ]


def _diagnoses(model: Model, data: Path) -> dict[str, float]:
    """Accuracy on test images of a classifier that was trained on clean ones: means of three."""
    items = find(data)
    given, true = (torch.cat(x) for x in zip(*model.modality.examples(items, True), strict=True))
    labels = torch.from_numpy(items.labels[items.held])
    versions = {
        "clean": true,
        "low dose": given,
        "median": median(given),
        "without D": _all(method_of(model.mapper(sharpness=0.0)), given),
        "enhanced": _all(method_of(model.mapper()), given),
    }
    clean = torch.from_numpy(items.items[~items.held])
    train = clean.reshape(len(clean), 1, *clean.shape[1:3]).float() / 127.5 - 1
    diagnoses = torch.from_numpy(items.labels[~items.held])
    accuracies: dict[str, list[float]] = {name: [] for name in versions}
    for seed in range(3):
        net = train_classifier(tuple(train.shape[1:]), 2, len(train), lambda rows: (train[rows], diagnoses[rows]), seed)
        for name, x in versions.items():
            accuracies[name].append(accuracy(net, [({VALUES: x.clamp(-1, 1)}, labels)]))
    return {name: float(np.mean(values)) for name, values in accuracies.items()}


def _all(method: Callable[[Tensor], Tensor], given: Tensor) -> Tensor:
    return torch.cat([method(x[None]) for x in given])


def video(options: argparse.Namespace) -> list[str]:
    """Flicker of enlarged clips, at the pixels that do not change."""
    model = _enlarging(options, 4)
    method = method_of(model.mapper())
    rows: dict[str, list[float]] = {"bicubic": [], "frame by frame": [], "smoothed": []}
    for clip in _clips(options.data / "video/weizmann_actions_64.zip"):
        frames = torch.cat([as_input(frame) for frame in clip])
        still = (
            ((frames.amax(0) - frames.amin(0)).amax(0) < MAX_STILL_CHANGE)
            .repeat_interleave(4, 0)
            .repeat_interleave(4, 1)
        )
        generated = [method(frame[None]) for frame in frames]
        steady = Steady(4)
        kinds = {
            "bicubic": bicubic(frames, 4),
            "frame by frame": torch.cat(generated),
            "smoothed": torch.stack([steady(frame[None], x[0]) for frame, x in zip(frames, generated, strict=True)]),
        }
        for name, x in kinds.items():
            rows[name].append(flicker((x + 1) * 127.5, still.expand(len(x) - 1, 1, -1, -1)))
    body = [[name, f"{np.mean(values):.2f}"] for name, values in rows.items()]
    return [*table(["", "flicker, of 255 levels"], body), "", f"Means over {len(rows['bicubic'])} clips of 32 frames."]


def _clips(path: Path) -> Iterator[list[np.ndarray]]:
    """One clip of each action: 32 frames (64, 64, 3)."""
    with zipfile.ZipFile(path) as archive:
        strips = sorted(name for name in archive.namelist() if name.endswith(".png"))
        for name in {Path(strip).parent: strip for strip in reversed(strips)}.values():
            strip = np.asarray(Image.open(io.BytesIO(archive.read(name))).convert("RGB"))
            yield list(strip.reshape(64, 32, 64, 3).transpose(1, 0, 2, 3))


TASKS = {"x4": enlarged(4), "x2": enlarged(2), "inpaint": inpaint, "enhance": enhance, "video": video}

if __name__ == "__main__":
    run_tasks(__file__, __doc__.splitlines()[0], TASKS)
