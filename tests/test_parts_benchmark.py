"""benchmarks/parts.py at toy size."""

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_the_parts_of_a_step_add_up(monkeypatch, tmp_path, capsys):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    spec = importlib.util.spec_from_file_location("parts_benchmark", ROOT / "benchmarks" / "parts.py")
    parts = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "parts_benchmark", parts)
    spec.loader.exec_module(parts)
    tried = dict(list(parts.TRIED.items())[:1])
    for name, value in {"RUN_SECONDS": 1, "STEPS": 8, "WARM_UP": 1, "TRIED": tried}.items():
        monkeypatch.setattr(parts, name, value)
    monkeypatch.setattr(parts.time, "monotonic", parts.time.monotonic)  # restored after the test
    monkeypatch.setattr(parts.dcgan, "channels_last", parts.dcgan.channels_last)  # and this too
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(
        sys, "argv", ["parts.py", "--data", "digits", "--rounds", "1", "--page", str(tmp_path / "p.md")]
    )
    parts.main()
    page = (tmp_path / "p.md").read_text()
    assert capsys.readouterr().out.strip() in page
    rows = [line.split("|")[1:4] for line in page.splitlines() if line.startswith("| ") and "%" in line]
    *some, whole = [float(milliseconds) for _, milliseconds, _ in rows]
    assert sum(some) == pytest.approx(whole, abs=0.1 * len(some))
    assert all(value >= 0 for value in some[:4])  # forward, both turns, penalties
    assert f"| {next(iter(parts.TRIED))} |" in page
