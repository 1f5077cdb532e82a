"""Sounds of given ones: vocoders and denoising, compared with baselines, with rivals and with the same nets without D.

    python benchmarks/vocoder.py [TASK ...] [--data ../shared/data] [--runs FOLDER] [--time FACTOR]
                                 [--page docs/restoring-sounds.md]

TASK is mels20, mels40, speakers, published or widen. All are trained on the Free Spoken Digit Dataset at 8 kHz: mels20
and mels40 are vocoders of spectrograms with 20 bands every 64 samples and with 40 every 128, where Griffin-Lim fails;
speakers removes noise from the voice of a speaker that was left out of the training; published removes the noise of
25 recordings of VoiceBank+DEMAND, next to the outputs of a published system; widen restores the upper half of a band.
"""

from __future__ import annotations

import argparse
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import torch

from pages import table
from runs import cost, evaluated_once, run_tasks, save_picture, trained
from sparring import Model
from sparring.metrics.recordings import log_spectral_distance
from sparring.metrics.results import Evaluation, Number
from sparring.modalities import PairedAudio, find
from sparring.modalities.audio_translation.judge import AudioTranslationJudge, method_of

MINUTES = 20.0  # of each run
SOUNDS = 100  # that are judged
LEFT_OUT = "lucas"  # the speaker of the test part: the one whom classifiers recognize worst
NEW_BAND = 2000.0  # Hz, above which the sounds of `widen` hold nothing


def _row(name: str, numbers: tuple[Number, ...] | list[Number], metrics: tuple[str, ...], training: str) -> list[str]:
    found = {number.name: number for number in numbers}
    return [name, *(str(found[metric]) if metric in found else "" for metric in metrics), training]


def _rows(evaluation: Evaluation, metrics: tuple[str, ...]) -> list[list[str]]:
    """A row for each baseline that needs no training."""
    return [_row(name, numbers, metrics, "") for name, numbers in evaluation.baselines.items() if name != "without D"]


def compared(
    options: argparse.Namespace, data: Path | str, runs: dict[str, tuple[str, dict[str, Any]]], picture: str
) -> tuple[list[str], dict[str, Model]]:
    """A table of the baselines and of runs with the same time each.

    Args:
        runs: recipe and fields of each row.
        picture: name of the picture of the last of them.
    """
    body: list[list[str]] = []
    models: dict[str, Model] = {}
    protocol = ""
    for name, (recipe, fields) in runs.items():
        slug = f"{picture}-{name}".replace(" ", "-").replace(",", "")
        model = models[name] = trained(options, slug, recipe, data, MINUTES, **fields)
        evaluation = evaluated_once(options.runs / slug, model, samples=SOUNDS)
        metrics = tuple(number.name for number in evaluation.numbers)
        if not body:
            body += _rows(evaluation, metrics)
        body.append(_row(f"**{name}**", evaluation.numbers, metrics, cost(model)))
        protocol = evaluation.protocol
        save_picture(options, picture, evaluation)
    return [*table(["", *metrics, "training"], body), "", f"{protocol}."], models


def vocoders(options: argparse.Namespace, **fields: Any) -> list[str]:
    runs = {
        "hifigan": ("hifigan", fields),
        "vocoder, no D": ("vocoder", {**fields, "alone": 1.0}),
        "vocoder": ("vocoder", fields),
    }
    return compared(options, "fsdd", runs, f"vocoded-{fields['mels']}")[0]


def _speakers(options: argparse.Namespace) -> Path:
    """The recordings with those of one speaker as the test part."""
    folder = options.runs / "speakers"
    if not folder.is_dir():
        with zipfile.ZipFile(options.data / "fsdd/recordings.zip") as archive:
            for name in archive.namelist():
                path = PurePosixPath(name)
                if path.suffix == ".wav":
                    part = "test" if path.name.split("_")[1] == LEFT_OUT else "train"
                    place = folder / part / path.name.replace("_", "-")
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(archive.read(name))
    return folder


def _denoisers(**fields: Any) -> dict[str, tuple[str, dict[str, Any]]]:
    return {
        "audio_denoise, no D": ("audio_denoise", {**fields, "alone": 1.0}),
        "audio_denoise": ("audio_denoise", fields),
    }


def speakers(options: argparse.Namespace) -> list[str]:
    lines, _ = compared(options, _speakers(options), _denoisers(degrade="colored0-15"), "denoised")
    return [*lines, "", f"Noise of random colors at 0 to 15 dB. The test part is the speaker {LEFT_OUT}."]


def _pairs(options: argparse.Namespace, given: str) -> PairedAudio | Any:
    """Recordings of one folder of the published pairs as input/, with the clean ones as target/."""
    folder = options.runs / f"pairs-{given}"
    if not folder.is_dir():
        with zipfile.ZipFile(options.data / "audio/noisy-speech.zip") as archive:
            for name in archive.namelist():
                path = PurePosixPath(name)
                kind = {given: "input", "target": "target"}.get(path.parent.name)
                if kind and path.suffix == ".flac":
                    place = folder / kind / path.name
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(archive.read(name))
    return folder


def published(options: argparse.Namespace) -> list[str]:
    """The 25 recordings at 8 kHz, the rate that ours was trained at."""
    _, models = compared(options, _speakers(options), _denoisers(degrade="colored0-15"), "denoised")
    body: list[list[str]] = []
    metrics: tuple[str, ...] = ()
    for given in ("input", "cmgan"):
        items = find(_pairs(options, given))
        modality = PairedAudio(rate=8000).fit(items)
        judge = AudioTranslationJudge(modality, items, False, modality.speech_metrics)
        methods: dict[str, Any] = {"identity": modality.baselines()["identity"]}
        if given == "input":
            methods |= modality.baselines()
            methods |= {f"**{name}**": method_of(model.mapper()) for name, model in models.items()}
        scores, _ = judge.score(methods, len(items), lambda _: None)
        for name in methods:
            numbers = scores[name].numbers()
            metrics = tuple(number.name for number in numbers)
            title = {"identity": {"input": "noisy", "cmgan": "*CMGAN, published*"}[given]}.get(name, name)
            note = {"cmgan": "on 11,572 pairs of VoiceBank+DEMAND", "input": ""}[given]
            body.append(_row(title, numbers, metrics, "on spoken digits" if "**" in name else note))
    return [
        *table(["", *metrics, "training"], body),
        "",
        "25 recordings of VoiceBank+DEMAND, resampled to 8 kHz, with their outputs by CMGAN (Cao et al. 2022, "
        "arXiv:2203.15149). Ours has seen other data: spoken digits and noise of random colors.",
    ]


def widen(options: argparse.Namespace) -> list[str]:
    lines, models = compared(options, "fsdd", _denoisers(degrade="resample3500-4000"), "widened")
    distances: dict[str, list[float]] = {}
    model = models["audio_denoise"]
    methods = {"identity": lambda x: x} | {name: method_of(m.mapper()) for name, m in models.items()}
    examples = model.modality.examples(find("fsdd"), True)
    with torch.no_grad():
        for _, (given, target) in zip(range(SOUNDS), examples, strict=False):
            for name, method in methods.items():
                distance = log_spectral_distance(method(given), target, model.modality.rate, NEW_BAND)
                distances.setdefault(name, []).append(float(distance))
    body = [[name, f"{np.mean(values):.3f}"] for name, values in distances.items()]
    return [*lines, "", *table(["", f"log-spectral distance above {NEW_BAND:,.0f} Hz"], body)]


TASKS: dict[str, Callable[[argparse.Namespace], list[str]]] = {
    "mels20": partial(vocoders, mels=20),
    "mels40": partial(vocoders, mels=40, frame=512, hop=128),
    "speakers": speakers,
    "published": published,
    "widen": widen,
}

if __name__ == "__main__":
    run_tasks(__file__, __doc__.splitlines()[0], TASKS)
