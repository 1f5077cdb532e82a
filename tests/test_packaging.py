"""What is installed from a wheel works without the checkout, and the files of workflows and of the image are valid."""

import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def program(name):
    """The path of a program that is installed beside this Python."""
    path = shutil.which(name, path=sysconfig.get_path("scripts"))
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def run(*words, **settings):
    ended = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False, timeout=300, **settings)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of a copy of what the repository holds, so that no build files are left in the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "sparring", folder / "sparring", ignore=shutil.ignore_patterns("__pycache__"))
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", folder)
    (built,) = (folder / "dist").iterdir()
    return built


def test_the_wheel_is_ready_for_the_index(wheel):
    run(program("check-wheel-contents"), wheel)
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "sparring/py.typed" in names
    assert {name.partition("/")[0] for name in names} == {"sparring", f"{wheel.name.partition('-py3')[0]}.dist-info"}


def test_an_installed_wheel_trains_without_the_checkout(wheel, tmp_path):
    """In an environment of its own, which finds the other packages, but not the checkout, where those are installed."""
    venv.create(tmp_path / "environment", symlinks=True)
    python = tmp_path / "environment" / "bin" / "python"
    (packages,) = (tmp_path / "environment" / "lib").glob("python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    (packages / "others.pth").write_text(sysconfig.get_path("purelib"))
    begin = [python, "-I", "-m", "sparring"]
    where = run(python, "-I", "-c", "import sparring; print(sparring.__file__)", cwd=tmp_path)
    assert Path(where.strip()) == packages / "sparring" / "__init__.py"
    run(*begin, "train", "digits", "--recipe", "gan", "--steps", "2", "--out", "run", "--device", "cpu", cwd=tmp_path)
    assert (tmp_path / "run" / "model" / "weights.safetensors").is_file()


def test_workflows_are_valid():
    workflows = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
    assert len(workflows) == 3
    run(program("check-jsonschema"), "--builtin-schema", "vendor.github-workflows", *workflows)


def test_the_image_is_valid():
    """No builder is needed: the linter reads the file, and what it copies is in the checkout."""
    run(program("hadolint"), ROOT / "Dockerfile")
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = [
        word
        for line in (ROOT / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY")
        for word in line.split()[1:-1]
    ]
    assert copied == allowed
    assert all((ROOT / name).exists() for name in copied)


def test_the_page_lists_the_extras():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    listed = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "installing.md").read_text(), flags=re.MULTILINE)
    assert sorted(listed) == sorted(project["optional-dependencies"])
