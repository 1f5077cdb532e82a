"""A model, a run or a file of weights never runs code unless the user gave that code or said that it is trusted."""

import json
import shlex
import shutil
import sys
from pathlib import Path

import pytest
import safetensors.torch
from commands import command
from test_own_kind import PAGE, code_of_page

import sparring
from sparring.cli import main
from sparring.errors import InputError
from sparring.studio.run_index import RunIndex
from sparring.studio.studio import Studio

PLANTED = "from pathlib import Path\n(Path(__file__).parent / 'ran').touch()\n"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of a recipe of Sparring."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    sparring.train("gan", "ring", out=folder, steps=1, quiet=True, device="cpu", batch=8, G=(4,), D=(4,))
    return folder


@pytest.fixture(params=["absolute", "relative", "current folder"])
def planted(request, run, tmp_path, monkeypatch):
    """A stranger's run, model folder and single file, all of which name a recipe file that is there."""
    place, here = tmp_path / "downloads" / "run", tmp_path / "here"
    shutil.copytree(run, place)
    here.mkdir()
    monkeypatch.chdir(here)
    file = (here if request.param == "current folder" else place / "model") / "evil.py"
    name = str(file) if request.param == "absolute" else file.name
    file.write_text(PLANTED)
    for path in (place / "recipe.json", place / "model" / "model.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"recipe": name}))
    content = {"model.json": (place / "model" / "model.json").read_text()}
    tensors = safetensors.torch.load_file(place / "model" / "weights.safetensors")
    safetensors.torch.save_file(tensors, place / "one.safetensors", content)
    yield place
    assert not list(tmp_path.rglob("ran"))


COMMANDS = {
    "sample": "sample {} -n 2 -o out.csv",
    "evaluate": "evaluate {}",
    "evaluate against": "evaluate {} --against ring",
    "compare": "compare {} {} -o page",
    "explore": "explore {} -o sheets",
    "explore asked": "explore {} -o sheets --label 1",
    "export": "export {} -o out.onnx",
    "export model": "export {} -o out.safetensors --half",
    "serve": "serve {} --port 0",
    "audit": "audit {}",
    "detector": "detector {} -o detector",
    "marks": "marks marks --producer Example --watermark {}",
    "apply": "apply {} given.png -o out.png",
    "augment": "augment {} -o out.csv",
    "scenarios": "scenarios {} -o risk",
}


@pytest.mark.parametrize("planted", ["absolute"], indirect=True)
@pytest.mark.parametrize("where", ["run", "model", "file"])
@pytest.mark.parametrize("name", COMMANDS)
def test_commands_do_not_run_a_file_that_a_model_names(planted, monkeypatch, capsys, name, where):
    Path("given.png").touch()
    place = {"run": planted, "model": planted / "model", "file": planted / "one.safetensors"}[where]
    status, errors = command(monkeypatch, capsys, COMMANDS[name].replace("{}", shlex.quote(str(place))))
    assert status == 2
    assert "is of the recipe file" in errors[-1]
    assert "add --trust-code" in errors[-1]
    assert sorted(p.name for p in Path().iterdir()) == ["given.png"]


@pytest.mark.parametrize("given", ["", "--recipe gan", "--recipe r3gan_mlp"])
def test_resuming_does_not_run_a_file_that_a_run_names(planted, monkeypatch, capsys, given):
    status, errors = command(monkeypatch, capsys, f"train ring {given} --out {planted} --resume --steps 2 --device cpu")
    assert status == 2
    assert "give that file with --recipe" in errors[-1]


def test_python_does_not_run_it(planted):
    for place in (planted, planted / "model", planted / "one.safetensors"):
        with pytest.raises(InputError, match=r"is of the recipe file .*evil.py, .*trust=True"):
            sparring.load(place)


def test_the_studio_does_not_run_it(planted, tmp_path):
    (tmp_path / "files").mkdir()
    studio = Studio([planted.parent], "cpu", tmp_path / "files")
    (card,) = studio.runs.cards()
    assert "--trust-code" in card.findings[-1]
    assert studio.model(card.name) is None
    with pytest.raises(InputError, match="is of the recipe file"), studio.models.use(planted):
        pass
    assert RunIndex([planted.parent], trust=True).cards()[0].findings == ()


def test_a_recipe_file_is_run_where_it_is_given_or_trusted(tmp_path, monkeypatch, capsys):
    code, folder = code_of_page(PAGE), tmp_path / "own"
    folder.mkdir()
    (folder / "strips.py").write_text(code)
    lines = ["rgbk"[i % 4] * 3 + "rgb"[i % 3] * 3 for i in range(80)]
    (folder / "fabric.strips").write_text("\n".join(lines))
    monkeypatch.chdir(folder)
    assert command(monkeypatch, capsys, "train fabric.strips --recipe strips.py --steps 2 --device cpu")[0] == 0
    monkeypatch.setattr(sys, "argv", ["sparring"])
    card = (folder / "runs/strips-fabric/README.md").read_text()
    assert "sparring sample runs/strips-fabric -n 64 -o sheet.png --trust-code" in card
    assert "of the recipe file" in command(monkeypatch, capsys, "sample runs/strips-fabric -o a.strips")[1][-1]
    assert command(monkeypatch, capsys, "sample runs/strips-fabric -o a.strips --trust-code")[0] == 0
    assert command(monkeypatch, capsys, "export runs/strips-fabric -o a.safetensors --trust-code")[0] == 0
    (folder / "strips.py").rename(tmp_path / "strips.py")  # somewhere else now
    status, errors = command(monkeypatch, capsys, "sample a.safetensors -o b.strips --trust-code")
    assert status == 2
    assert "which is not there; copy strips.py to" in errors[-1]
    resumed = "train fabric.strips --out runs/strips-fabric --resume --steps 4 --device cpu --recipe"
    assert command(monkeypatch, capsys, f"{resumed} ../strips.py")[0] == 0
    assert command(monkeypatch, capsys, "sample runs/strips-fabric -o b.strips --trust-code")[0] == 0
    (tmp_path / "other.py").write_text(code)
    assert "give that file with --recipe" in command(monkeypatch, capsys, f"{resumed} ../other.py")[1][-1]


def test_a_recipe_file_does_not_take_the_place_of_a_recipe_of_sparring(run, tmp_path, monkeypatch, capsys):
    (tmp_path / "gan.py").write_text(
        "from dataclasses import dataclass\nfrom sparring.recipes.gan import Gan\n"
        "@dataclass(frozen=True)\nclass Mine(Gan):\n    pass\n"
    )
    line = f"train ring --recipe {tmp_path / 'gan.py'} --out {run} --resume --steps 2"
    status, errors = command(monkeypatch, capsys, line)
    assert status == 2
    assert "is of Sparring's recipe 'gan', not of" in errors[-1]


def test_printed_commands_work_as_printed(tmp_path, monkeypatch, capsys):
    (tmp_path / "strips.py").write_text(code_of_page(PAGE))
    (tmp_path / "fabric.strips").write_text("\n".join("rgbk"[i % 4] * 3 + "rgb"[i % 3] * 3 for i in range(80)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", shlex.split("sparring train fabric.strips --recipe strips.py --steps 2"))
    with pytest.raises(SystemExit):
        main()
    printed = [line.strip() for line in capsys.readouterr().out.splitlines() if line.startswith("  sparring ")]
    assert len(printed) == 3
    for line in printed:
        assert command(monkeypatch, capsys, line.removeprefix("sparring "))[0] == 0
