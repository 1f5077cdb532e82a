import gc
import importlib.metadata
import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image

from sparring.sheets import MAX_FRAME_SIDE, SHEET_SIDE

# Two busy libraries that each take all cores slow one another down many times over.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# PyTorch's graphs of any size ask SymPy the same questions, more of them than it remembers.
os.environ.setdefault("SYMPY_CACHE_SIZE", "100000")
# Lightning asks for entry points in each training, which reads what is known about all installed packages.
importlib.metadata.entry_points = cache(importlib.metadata.entry_points)
# Each call of the command line reads the options of all commands from their annotations, a tenth of a second.
typer.main.get_command = cache(typer.main.get_command)


def pytest_collection_finish():
    """Keep the garbage collector from going through all that was imported and collected in each test."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)  # tracing a graph makes many objects, of which few are garbage


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory):
    """What tests decode stays out of the user's cache."""
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session", autouse=True)
def _no_curves():
    """Drawing them takes ten times as long as most runs of the tests; `real_curves` has them drawn. A film and sheets
    in their real sizes take a third of a run.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sparring.training.watch.curves", lambda *_: b"")
        patch.setattr("sparring.sheets.MAX_FRAME_SIDE", 32)
        patch.setattr("sparring.sheets.SHEET_SIDE", 64)
        yield


@pytest.fixture
def real_curves(monkeypatch):
    from sparring.runs.curves import curves

    monkeypatch.setattr("sparring.training.watch.curves", curves)
    monkeypatch.setattr("sparring.sheets.MAX_FRAME_SIDE", MAX_FRAME_SIDE)
    monkeypatch.setattr("sparring.sheets.SHEET_SIDE", SHEET_SIDE)


@pytest.fixture(scope="session", autouse=True)
def _brief_latencies():
    """Exports time three calls of each net, without pauses, instead of up to a second of them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("MAX_SECONDS", "PAUSE"):
            patch.setattr(f"sparring.deploy.measure.{name}", 0.0)
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_flushes():
    """No machine is switched off while a test runs: nothing waits for the disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda _: None)
        yield


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """A function that makes a folder of 8 x 8 pictures in two classes, with so many channels."""
    modes = {1: "L", 3: "RGB", 4: "RGBA"}

    def make(channels: int) -> Path:
        folder = tmp_path_factory.getbasetemp() / f"pictures{channels}"
        random = np.random.default_rng(channels)
        if folder.is_dir():
            return folder
        for name in ("cats", "dogs"):
            (folder / name).mkdir(parents=True)
            for i in range(8):
                pixels = random.integers(0, 255, (8, 8, channels), dtype=np.uint8).squeeze()
                Image.fromarray(pixels, modes[channels]).save(folder / name / f"{i}.png")
        return folder

    return make


@pytest.fixture
def brief_classifiers(monkeypatch):
    """Evaluations train their classifiers for a few steps, where a test is not about the values."""
    monkeypatch.setattr("sparring.metrics.sequences.STEPS", 10)
    monkeypatch.setattr("sparring.metrics.two_sample.STEPS", 5)
    monkeypatch.setattr("sparring.modalities.audio.classifier.STEPS", 10)
    monkeypatch.setattr("sparring.modalities.video.clip_classifier.STEPS", 10)
    monkeypatch.setattr("sparring.evaluation.classifier.STEPS", (10, 10))
    monkeypatch.setattr("sparring.evaluation.classifier.VERSION", 0)  # not to be taken from the cache by other tests
