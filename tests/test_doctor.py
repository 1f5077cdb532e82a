"""What works on this machine is said, and what to do about the rest."""

import tomllib
from collections import namedtuple
from importlib import metadata
from pathlib import Path

import pytest
import torch
from test_cli import sparring

from sparring.cli import doctor

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]


def test_version(monkeypatch, capsys):
    status, printed, _ = sparring(monkeypatch, capsys, "--version")
    assert (status, printed.strip()) == (0, f"sparring {PROJECT['version']}")


def test_report(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("SPARRING_DATA", str(tmp_path / "absent"))
    status, printed, errors = sparring(monkeypatch, capsys, "doctor")
    assert (status, errors) == (0, "")
    for extra in set(PROJECT["optional-dependencies"]) - {"all", "dev", "docs"}:
        assert f"  {extra} " in printed
    assert "- data sets: the folder does not exist; correct SPARRING_DATA" in printed


def test_missing_and_old_packages_are_named(monkeypatch):
    def version(name):
        if name == "onnx":
            raise metadata.PackageNotFoundError(name)
        return "0.0.1" if name == "pandas" else found(name)

    found = metadata.version
    monkeypatch.setattr(metadata, "version", version)
    told = {entry.name: entry.found for entry in doctor.optional_parts()}
    assert told["export"] == "missing: onnx; pip install 'sparring[export]'"
    assert told["tables"].startswith("missing: pandas>=2.2 (0.0.1 is installed)")
    assert told["excel"].startswith("missing: pandas")  # an extra that contains another one
    assert told["video"] == "installed"


def test_full_disk(monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage(10, 9, 1 * doctor.GIB))
    advice = {entry.name: entry.advice for entry in doctor.space()}
    assert advice["this folder"] == "only 1.0 GiB are free; runs need room for checkpoints"


@pytest.mark.parametrize("threads", [1, 2])
def test_idle_cores(monkeypatch, threads):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1}, raising=False)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    assert bool(next(iter(doctor.devices())).advice) == (threads == 1)


def test_device_that_computes_nonsense(monkeypatch):
    monkeypatch.setattr(torch, "ones", lambda *shape, **_: torch.zeros(shape))
    assert doctor._tried("cpu") == "it computes wrong results; do not train on it"
