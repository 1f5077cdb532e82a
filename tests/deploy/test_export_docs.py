"""The commands and examples of docs/exporting.md run, without Sparring where they say so."""

import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import sparring
from sparring.cli import main

pytestmark = pytest.mark.usefixtures("brief_classifiers")

PAGE = (Path(__file__).parents[2] / "docs" / "exporting.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)


def test_commands_and_examples(tmp_path, monkeypatch, capsys, pictures):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sparring.deploy.prune.STEPS", 3)
    random = np.random.default_rng(0)
    customers = {"age": random.integers(18, 80, 200), "spent": random.lognormal(2, 1, 200).round(2)}
    customers |= {"churned": random.choice(["no", "yes"], 200), "income": random.choice(["<=50K", ">50K"], 200)}
    pd.DataFrame(customers).to_csv("customers.csv", index=False)
    small = {"steps": 2, "quiet": True, "device": "cpu", "width": 8}
    sparring.train("dcgan", str(pictures(3)), out="runs/dcgan-photos", **small)
    sparring.train("table", "customers.csv", out="runs/table-customers", D=8, **small)
    for line in blocks("")[0].splitlines():
        monkeypatch.setattr(sys, "argv", shlex.split(line))
        with pytest.raises(SystemExit) as end:
            main()
        assert not end.value.code, line
    capsys.readouterr()
    of_pictures, of_rows = blocks("python")[:2]  # the next one is about training with Sparring
    for block in (of_pictures, of_rows):
        assert "sparring" not in re.findall(r"^(?:import|from) (\w+)", block, flags=re.MULTILINE)
        exec(block, {})
    with Image.open("four.png") as shown:
        assert shown.size == (32, 8)
    told = capsys.readouterr().out.splitlines()[-1]
    assert set(eval(told)) == {"<=50K", ">50K"}
