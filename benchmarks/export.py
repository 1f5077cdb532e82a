"""Exported models: latency of ONNX Runtime and of eager PyTorch, and the cost of compression.

    python benchmarks/export.py [TASK ...] [--data ../shared/data] [--runs FOLDER] [--time FACTOR]
                                [--page docs/exporting.md]

TASK is latency or compressed. Run nothing else at the same time.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import torch

from pages import table
from runs import run_tasks, trained
from sparring import Model
from sparring.deploy.export import export
from sparring.deploy.graph import graph
from sparring.deploy.measure import latencies
from sparring.deploy.runtime import Session

BATCHES = (1, 16, 64)
ROUNDS = 31  # alternating calls of each


def _models(options: argparse.Namespace) -> dict[str, Model]:
    """Models with nets of several kinds, trained briefly: training does not change their speed."""
    housing = options.data / "tabular/california_housing.csv"
    membranes = options.data / "em-membrane/isbi2012_train.zip"
    return {
        "dcgan": trained(options, "dcgan", "dcgan", "mnist", 2, labels=False),
        "r3gan_strided": trained(options, "r3gan_strided", "r3gan_strided", "mnist", 2, labels=False),
        "stylegan2": trained(options, "stylegan2", "stylegan2", "mnist", 2, labels=False, base=512, most=64),
        "pix2pix": trained(options, "pix2pix", "pix2pix", membranes, 2, size=128),
        "srgan": trained(options, "srgan", "srgan", options.data / "superres/T91.zip", 2, degrade=("x4",)),
        "table": trained(options, "table", "table", housing, 2),
    }


def latency(options: argparse.Namespace) -> list[str]:
    rows = []
    for name, model in _models(options).items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.onnx"
            size = export(model, path).size
            session = Session(path.read_bytes())
        whole = graph(model)
        sides = "" if model.modality.source is None else " x ".join(map(str, whole.draw(1, 0)[0].shape[-2:]))
        for n in BATCHES:
            torch.manual_seed(0)
            inputs = whole.draw(n, 0)
            eager, runtime = latencies([lambda given, net=whole.net: net(*given), session], inputs, ROUNDS)
            times = [f"{1000 * seconds:.3g}" for seconds in (eager, runtime)]
            first = [f"{name} {sides}".strip(), f"{size / 1e6:.2f}"] if n == BATCHES[0] else ["", ""]
            rows.append([*first, str(n), *times, f"{eager / runtime:.2f}"])
            print(rows[-1], flush=True)
    return table(["model", "MB", "batch", "PyTorch, ms", "ONNX Runtime, ms", "speedup"], rows)


def compressed(options: argparse.Namespace) -> list[str]:
    variants: list[dict[str, Any]] = [
        {"half": True}, {"int8": True}, {"prune": 0.3}, {"prune": 0.5}, {"prune": 0.3, "int8": True},
    ]  # fmt: skip
    models = {
        "dcgan, mnist": trained(options, "dcgan", "dcgan", "mnist", 2, labels=False),
        "r3gan_strided, fashion-mnist": trained(options, "fashion", "r3gan_strided", "fashion-mnist", 4, labels=False),
    }
    lines: list[str] = []
    for name, model in models.items():
        body: list[list[str]] = []
        for variant in variants:
            with tempfile.TemporaryDirectory() as folder:
                exported = export(model, Path(folder) / "model.onnx", **variant)
            head, *rows = exported.rows()
            body += rows[:2] if not body else []
            body.append(rows[2])
        lines += [f"*{name}*", "", *table(head, [*body, rows[3]]), "", f"{exported.protocol}.", ""]
    return lines[:-1]


if __name__ == "__main__":
    run_tasks(__file__, __doc__.splitlines()[0], {"latency": latency, "compressed": compressed})
