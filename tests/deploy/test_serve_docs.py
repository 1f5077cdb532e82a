"""The commands of docs/serving.md run."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import sparring

PAGE = Path(__file__).parents[2] / "docs" / "serving.md"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_commands_about_serving(runs, tmp_path):
    random = np.random.default_rng(0)
    customers = {"age": random.integers(18, 60, 100), "income": random.choice(["<=50K", ">50K"], 100)}
    pd.DataFrame(customers).to_csv(tmp_path / "customers.csv", index=False)
    sparring.train(
        "table", tmp_path / "customers.csv", out=tmp_path / "runs" / "customers", steps=2, quiet=True, device="cpu",
        batch=8, width=8, D=8,
    )  # fmt: skip
    for name in ("digits", "larger"):
        (tmp_path / "runs" / name).symlink_to(runs / name)
    (tmp_path / "temporary").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    (block,) = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), flags=re.MULTILINE | re.DOTALL)
    words = ["bash", "-eu", "-o", "pipefail", "-c", block.replace("8000", port)]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # the folder of `sparring`
    settings = os.environ | {"TMPDIR": str(tmp_path / "temporary"), "PATH": path}
    done = subprocess.run(words, cwd=tmp_path, env=settings, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "temporary").iterdir()  # written by the block; the server leaves none
    with Image.open(folder / "digit.png") as digit, Image.open(folder / "large.png") as large:
        assert (digit.size, large.size) == ((8, 8), (32, 32))
    young = pd.read_csv(folder / "young.csv")
    assert len(young) == 500
    assert young["age"].max() < 30
    with np.load(folder / "digits.npz") as digits:
        assert digits["images"].shape == (100, 8, 8, 1)
