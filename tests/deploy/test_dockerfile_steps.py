"""The steps of the Dockerfile, run one after the other where there is no builder of images.

Each stage gets an environment of Python of its own in place of its base image. Paths of the image lie in a folder.
Users of the machine are left alone, and packages come from the index that this machine uses.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import venv
from pathlib import Path

import pytest

import sparring

ROOT = Path(__file__).parents[2]
LEFT_ALONE = 'useradd() { echo useradd "$@"; }; '
STARTING = 120  # seconds in which the server must be healthy


def instructions():
    """Name and arguments of each instruction, with continued lines joined."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())
    return [line.partition(" ")[::2] for line in text.splitlines() if line and not line.startswith("#")]


class Image:
    """What the instructions have made so far."""

    def __init__(self, root):
        self.root, self.stage, self.arguments, self.final = root, -1, {}, {}

    @property
    def environment(self):
        place = self.root / f"stage{self.stage}" / "venv"
        path = f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return {**os.environ, **self.arguments, "PATH": path, "PIP_CONSTRAINT": str(ROOT / "constraints.txt")}

    def inside(self, text):
        """A text whose paths of the image are those of the folder; the wheels of the first stage are mounted."""
        return re.sub(r"(?<![\w.])/(src|wheels)\b", rf"{self.root}/\1", text)

    def do(self, name, text):
        if name == "FROM":
            self.stage += 1
            self.folder = self.root
            venv.create(self.root / f"stage{self.stage}" / "venv", with_pip=True)
        elif name in ("ARG", "ENV"):
            given = dict(word.partition("=")[::2] for word in text.split())
            self.arguments |= given | ({"TORCH": "https://pypi.org/simple"} if "TORCH" in given else {})
        elif name == "WORKDIR":
            self.folder = Path(self.inside(text))
            self.folder = self.folder if self.folder.is_relative_to(self.root) else self.root / text.lstrip("/")
            self.folder.mkdir(parents=True, exist_ok=True)
        elif name == "COPY":
            *sources, target = text.split()
            for source in sources:
                if (ROOT / source).is_dir():
                    ignored = shutil.ignore_patterns("__pycache__")
                    shutil.copytree(ROOT / source, self.folder / target, ignore=ignored, dirs_exist_ok=True)
                else:
                    shutil.copy(ROOT / source, self.folder / target)
        elif name == "RUN":
            line = LEFT_ALONE + self.inside(re.sub(r"--mount=\S+\s*", "", text))
            done = subprocess.run(
                ["bash", "-euc", line], cwd=self.folder, env=self.environment, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        elif name in ("ENTRYPOINT", "CMD", "HEALTHCHECK", "USER", "EXPOSE"):
            self.final[name] = text
        else:
            raise AssertionError(f"no step for {name}")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the image is one of Linux")
def test_the_steps_make_a_server_that_is_healthy(tmp_path):
    image = Image(tmp_path / "image")
    for name, text in instructions():
        image.do(name, text)
    assert image.final["USER"].isdecimal()
    assert int(image.final["USER"]) > 0
    begin = json.loads(image.final["ENTRYPOINT"])
    settings = {"env": image.environment, "cwd": tmp_path}
    shown = subprocess.run([*begin, *json.loads(image.final["CMD"])], capture_output=True, text=True, **settings)
    assert "sparring train" in shown.stdout, shown.stderr
    sparring.train("gan", "digits", out=tmp_path / "run", steps=2, quiet=True, device="cpu", batch=8)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([*begin, "serve", tmp_path / "run", f"--port={port}", "--device=cpu"], **settings)
    check = json.loads(image.final["HEALTHCHECK"].partition("CMD ")[2].replace(":8000", f":{port}"))
    try:
        until = time.monotonic() + STARTING
        while subprocess.run(check, capture_output=True, **settings).returncode and time.monotonic() < until:
            time.sleep(1)
        assert subprocess.run(check, capture_output=True, **settings).returncode == 0
    finally:
        server.kill()
        server.wait()
