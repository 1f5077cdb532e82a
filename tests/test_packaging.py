"""What is installed from a wheel works without the checkout, and the files of workflows and of the image are valid."""

import importlib.util
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "benchmarks"))
spec = importlib.util.spec_from_file_location("installed", ROOT / "benchmarks" / "installed.py")
installed = importlib.util.module_from_spec(spec)
spec.loader.exec_module(installed)
sys.path.remove(str(ROOT / "benchmarks"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


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
    run(program("twine"), "check", "--strict", wheel)
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "sparring/py.typed" in names
    assert {name.partition("/")[0] for name in names} == {"sparring", f"{wheel.name.partition('-py3')[0]}.dist-info"}


def optional():
    """Modules of installed packages that an installation without extras does not have."""
    core = installed.needed(PROJECT["dependencies"])
    return [
        module
        for module, packages in metadata.packages_distributions().items()
        if module.isidentifier() and not {installed.canonicalize_name(p) for p in packages} & {*core, "sparring"}
    ]


def test_an_installed_wheel_trains_without_the_checkout(wheel, tmp_path):
    """In an environment of its own, which finds the other packages, but not the checkout, where those are installed,
    nor what is optional.
    """
    venv.create(tmp_path / "environment", symlinks=True)
    python = tmp_path / "environment" / "bin" / "python"
    (packages,) = (tmp_path / "environment" / "lib").glob("python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    without = optional()
    assert {"pandas", "onnx", "gradio", "soundfile"} <= set(without)
    missing = f"import sys; sys.modules.update(dict.fromkeys({without}))"
    (packages / "others.pth").write_text(f"{sysconfig.get_path('purelib')}\n{missing}\n")
    begin = [python, "-I", "-m", "sparring"]
    where = run(python, "-I", "-c", "import sparring; print(sparring.__file__)", cwd=tmp_path)
    assert Path(where.strip()) == packages / "sparring" / "__init__.py"
    run(*begin, "train", "digits", "--recipe", "gan", "--steps", "2", "--out", "run", "--device", "cpu", cwd=tmp_path)
    assert (tmp_path / "run" / "model" / "weights.safetensors").is_file()
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3,4\n")
    assert "pip install 'sparring[tables]'" in run(python, "-I", "-c", AFTERWARDS, cwd=tmp_path)


AFTERWARDS = """
import sparring, sparring.evaluation.classifier
sparring.evaluation.classifier.STEPS = (10, 10)  # values do not matter
sparring.load("run").sample(4).save("sheet.png")
print(sparring.evaluate("run", samples=50))
try:
    sparring.train("table", "t.csv")
except sparring.InputError as error:
    print(error)
"""
HELP = {"annotated_doc", "attr", "markdown_it", "mdurl", "pygments", "rich", "shellingham", "sparring", "typer"}


def test_help_loads_little():
    """The time that it takes is that of its modules: 0.3 s on one core of a laptop."""
    code = (
        "import sys, sparring; before = set(sys.modules); sys.argv = ['sparring', '--help']\n"
        "from sparring.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "tops = lambda names: sorted({n.partition('.')[0] for n in names} - set(sys.stdlib_module_names))\n"
        "print('LOADED', tops(before), tops(sys.modules), 'rich.progress' in sys.modules, sep='|')"
    )
    printed = run(sys.executable, "-I", "-c", code).splitlines()[-1]
    _, imported, helped, bars = printed.split("|")
    assert bars == "False"
    known = {"__main__", "__editable___sparring_0_2_0_finder", "_distutils_hack", "_virtualenv", "sitecustomize"}
    assert set(re.findall(r"'(\w+)'", imported)) - known == {"sparring"}
    assert set(re.findall(r"'(\w+)'", helped)) - known <= HELP


def test_the_page_says_how_large_the_core_is():
    """All of its packages are those that the requirements name, and what they need."""
    sizes = installed.core()
    assert {"numpy", "scipy", "scikit-learn", "typer", "kiwisolver"} <= sizes.keys()
    assert not {"torch", "sympy", "pandas", "onnx", "gradio"} & sizes.keys()
    page = (ROOT / "docs" / "installing.md").read_text()
    (listed,) = re.findall(r"^\| together \| (\d+) \|", page, flags=re.MULTILINE)
    assert sum(sizes.values()) / 1e6 == pytest.approx(float(listed), rel=0.15)


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
    listed = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "installing.md").read_text(), flags=re.MULTILINE)
    assert sorted(listed) == sorted(PROJECT["optional-dependencies"])
