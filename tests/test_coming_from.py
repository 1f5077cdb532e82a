"""The commands of docs/coming-from.md exist, with their options and fields."""

import pickle
import re
import shlex
from pathlib import Path

import pytest
import torch
import typer

from sparring import recipes
from sparring.cli import app
from sparring.recipes.base import parse
from sparring.recipes.peers import PEERS

PAGE = (Path(__file__).parents[1] / "docs" / "coming-from.md").read_text()
TYPED = [shlex.split(line) for line in re.findall(r"`(sparring [a-z]+ [^`]+)`", PAGE)]
COMMANDS = typer.main.get_command(app).commands


def test_there_are_many():
    assert len(TYPED) >= 20
    assert {words[2] for words in TYPED if words[1] == "import" and words[2].islower()} == set(PEERS) - {"dcgan"}


@pytest.mark.parametrize("words", TYPED, ids=" ".join)
def test_options_and_fields(words):
    command = COMMANDS[words[1]]
    known = {option for parameter in command.params for option in parameter.opts}
    given = [word for word in words[2:] if word.startswith("-")]
    assert set(given) <= known, given
    fields = [word for word in words[2:] if re.fullmatch(r"[A-Za-z_]\w*=.+", word)]
    if words[1] == "train" and "--recipe" in words:
        recipes.find(words[words.index("--recipe") + 1]).set(parse(fields))


@pytest.mark.parametrize("text", re.findall(r"`((?:\.\.\. )?(?!FIELD)[a-zA-Z]+=[^`]+)`", PAGE))
def test_single_fields_exist(text):
    """In some recipe."""
    for name in parse(text.removeprefix("... ").split(" ")):
        assert any(name in vars(type(recipes.find(known)))["__dataclass_fields__"] for known in recipes.names()), name


def test_tensors_of_a_pickle(tmp_path, monkeypatch):
    """What the page runs in another project's environment, here with a pickle of a layer of PyTorch."""
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    layer = torch.nn.Linear(2, 3)
    Path("network.pkl").write_bytes(pickle.dumps({"G_ema": layer}))
    exec(block, {})
    assert torch.equal(torch.load("G_ema.pt", weights_only=True)["weight"], layer.weight)
