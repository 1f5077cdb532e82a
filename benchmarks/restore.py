"""Restoration: enlarged, filled and cleaned pictures beside those of what needs no training.

    python benchmarks/restore.py [TASK ...] [--data ../shared/data] [--runs FOLDER] [--time FACTOR]
                                 [--page docs/restoring.md]

TASK is x4, x2, inpaint, enhance or video. x4 and x2 are trained on T91 alone and tested on Set5, Set14 and twelve
pictures of BSD100; inpaint on Fashion-MNIST; enhance on PneumoniaMNIST, with a classifier that has seen clean
pictures only; video is x4's net on a clip. Pictures go beside the page.
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
from runs import compared, cost, picture, play, trained
from sparring import Model
from sparring.evaluation import evaluate
from sparring.evaluation.classifier import accuracy, train_classifier
from sparring.metrics.image_pairs import flicker
from sparring.modalities import find
from sparring.modalities.translation.baselines import bicubic, median
from sparring.modalities.translation.files.video import Steady
from sparring.modalities.translation.judge import method_of
from sparring.nets.tiles import as_input

SETS = {"Set5": "Set5.zip", "Set14": "Set14.zip", "BSD100 (12)": "BSD100_subset12.zip"}
# Ledig et al. 2016, arXiv:1609.04802, table 2 (all 100 of BSD100), and section 3.2 for what it took: 350,000 pictures
# of ImageNet, a million updates of SRResNet, and 200,000 of SRGAN, on a Tesla M40.
PUBLISHED = [
    ["*SRResNet, published*", "32.05", "28.49", "27.58", "", "", "", "10^6 updates on 350,000 pictures"],
    ["*SRGAN, published*", "29.40", "26.02", "25.16", "", "", "", "2 * 10^5 more"],
]
STILL = 6 / 127.5  # what a pixel of a clip may change in the whole clip to count as still, in [-1, 1]


def _enlarging(asked: argparse.Namespace, times: int) -> Model:
    return trained(asked, f"x{times}", "srgan", asked.data / "superres/T91.zip", 20, degrade=(f"x{times}",), turn=True)


def enlarged(times: int) -> Callable[[argparse.Namespace], list[str]]:
    def task(asked: argparse.Namespace) -> list[str]:
        model = _enlarging(asked, times)
        found = {name: evaluate(model, asked.data / "superres" / file) for name, file in SETS.items()}
        if times == 4:
            picture(asked, "restored-x4", found["Set14"])
        body = []
        for way, told in (("bicubic", "bicubic"), ("without D", "first phase, without D"), ("samples", "**srgan**")):
            row = [told]
            for number in ("psnr[Y]", "spectral_distance"):
                for one in found.values():
                    value = one[number] if way == "samples" else one.of_baseline(way, number)
                    row.append(f"{value:.2f}")
            body.append([*row, cost(model) if way == "samples" else ""])
        head = ["", *(f"{name}, dB" for name in SETS), *(f"{name}, decades" for name in SETS), "training"]
        return table(head, [*body, *(PUBLISHED if times == 4 else [])])

    return task


def inpaint(asked: argparse.Namespace) -> list[str]:
    model = trained(asked, "inpaint", "inpaint", "fashion-mnist", 12)
    found = evaluate(model, samples=2000)
    picture(asked, "restored-inpaint", found)
    metrics = ("mae[holes]", "psnr", "spectral_distance", "kid[patches]")
    return [*compared(found, metrics, model), "", found.protocol + "."]


def enhance(asked: argparse.Namespace) -> list[str]:
    data = asked.data / "medical/pneumoniamnist_balanced.npz"
    model = trained(asked, "enhance", "enhance", data, 10)
    found = evaluate(model)
    picture(asked, "restored-enhance", found)
    lines = compared(found, ("psnr", "ssim", "spectral_distance", "kid[patches]"), model)
    diagnosed = _diagnosed(model, data)
    told = ", ".join(f"{name} {value:.1%}" for name, value in diagnosed.items())
    return [
        *lines,
        "",
        found.protocol + ".",
        "",
        f"Accuracy of a classifier trained on clean images, on test images: {told}.",
    ]


def _diagnosed(model: Model, data: Path) -> dict[str, float]:
    """How many test pictures a classifier tells right that has learnt from clean ones: means of three."""
    items = find(data)
    given, true = (torch.cat(x) for x in zip(*model.modality.examples(items, True), strict=True))
    labels = torch.from_numpy(items.labels[items.held])
    ways = {
        "clean": true,
        "low dose": given,
        "median": median(given),
        "without D": _all(method_of(model.mapper(sharpness=0.0)), given),
        "enhanced": _all(method_of(model.mapper()), given),
    }
    clean = torch.from_numpy(items.items[~items.held])
    known = clean.reshape(len(clean), 1, *clean.shape[1:3]).float() / 127.5 - 1
    diagnoses = torch.from_numpy(items.labels[~items.held])
    right: dict[str, list[float]] = {name: [] for name in ways}
    for seed in range(3):
        net = train_classifier(tuple(known.shape[1:]), 2, len(known), lambda rows: (known[rows], diagnoses[rows]), seed)
        for name, x in ways.items():
            right[name].append(accuracy(net, [(x.clamp(-1, 1), labels)]))
    return {name: float(np.mean(values)) for name, values in right.items()}


def _all(way: Callable[[Tensor], Tensor], given: Tensor) -> Tensor:
    return torch.cat([way(x[None]) for x in given])


def video(asked: argparse.Namespace) -> list[str]:
    """Flicker of an enlarged clip, on what does not move in it."""
    model = _enlarging(asked, 4)
    way = method_of(model.mapper())
    rows: dict[str, list[float]] = {"bicubic": [], "frame by frame": [], "smoothed": []}
    for clip in _clips(asked.data / "video/weizmann_actions_64.zip"):
        frames = torch.cat([as_input(frame) for frame in clip])
        still = ((frames.amax(0) - frames.amin(0)).amax(0) < STILL).repeat_interleave(4, 0).repeat_interleave(4, 1)
        made = [way(frame[None]) for frame in frames]
        steady = Steady(4)
        kinds = {
            "bicubic": bicubic(frames, 4),
            "frame by frame": torch.cat(made),
            "smoothed": torch.stack([steady(frame[None], x[0]) for frame, x in zip(frames, made, strict=True)]),
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
    play(__file__, __doc__.splitlines()[0], TASKS)
