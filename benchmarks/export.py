"""Exported models: latency of ONNX Runtime beside eager PyTorch's, and what compressing costs.

    python benchmarks/export.py [TASK ...] [--data ../shared/data] [--runs FOLDER] [--time FACTOR]
                                [--page docs/exporting.md]

TASK is latency or compressed. Nothing else should run meanwhile.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import torch

from pages import table
from runs import play, trained
from sparring import Model
from sparring.deploy.export import export
from sparring.deploy.graph import graph
from sparring.deploy.measure import latencies
from sparring.deploy.runtime import Session

BATCHES = (1, 16, 64)
ROUNDS = 31  # calls of either, by turns


def _models(asked: argparse.Namespace) -> dict[str, Model]:
    """Of nets of several kinds. What they have learnt makes no difference to their speed."""
    housing, membranes = asked.data / "tabular/california_housing.csv", asked.data / "em-membrane/isbi2012_train.zip"
    return {
        "dcgan": trained(asked, "dcgan", "dcgan", "mnist", 2, labels=False),
        "r3gan_strided": trained(asked, "r3gan_strided", "r3gan_strided", "mnist", 2, labels=False),
        "stylegan2": trained(asked, "stylegan2", "stylegan2", "mnist", 2, labels=False, base=512, most=64),
        "pix2pix": trained(asked, "pix2pix", "pix2pix", membranes, 2, size=128),
        "srgan": trained(asked, "srgan", "srgan", asked.data / "superres/T91.zip", 2, degrade=("x4",)),
        "table": trained(asked, "table", "table", housing, 2),
    }


def latency(asked: argparse.Namespace) -> list[str]:
    rows = []
    for name, model in _models(asked).items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.onnx"
            size = export(model, path).size
            session = Session(path.read_bytes())
        net = graph(model)
        mapped = " x ".join(map(str, net.draw(1, 0)[0].shape[-2:])) if model.modality.source is not None else ""
        for n in BATCHES:
            torch.manual_seed(0)
            given = net.draw(n, 0)
            eager, runtime = latencies([lambda z, net=net: net.net(*z), session], given, ROUNDS)
            shown = [f"{1000 * seconds:.3g}" for seconds in (eager, runtime)]
            first = [f"{name} {mapped}".strip(), f"{size / 1e6:.2f}"] if n == BATCHES[0] else ["", ""]
            rows.append([*first, str(n), *shown, f"{eager / runtime:.2f}"])
            print(rows[-1], flush=True)
    return table(["model", "MB", "at once", "PyTorch, ms", "ONNX Runtime, ms", "times as fast"], rows)


def compressed(asked: argparse.Namespace) -> list[str]:
    ways: list[dict[str, Any]] = [
        {"half": True}, {"int8": True}, {"prune": 0.3}, {"prune": 0.5}, {"prune": 0.3, "int8": True},
    ]  # fmt: skip
    models = {
        "dcgan, mnist": trained(asked, "dcgan", "dcgan", "mnist", 2, labels=False),
        "r3gan_strided, fashion-mnist": trained(asked, "fashion", "r3gan_strided", "fashion-mnist", 4, labels=False),
    }
    lines: list[str] = []
    for name, model in models.items():
        body: list[list[str]] = []
        for way in ways:
            with tempfile.TemporaryDirectory() as folder:
                found = export(model, Path(folder) / "model.onnx", **way)
            head, *rows = found.rows()
            body += rows[:2] if not body else []
            body.append(rows[2])
        lines += [f"*{name}*", "", *table(head, [*body, rows[3]]), "", f"{found.protocol}.", ""]
    return lines[:-1]


if __name__ == "__main__":
    play(__file__, __doc__.splitlines()[0], {"latency": latency, "compressed": compressed})
