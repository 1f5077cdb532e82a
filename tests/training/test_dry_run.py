"""Mistakes in a user's own recipe or kind of data are named in one line before anything is written."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import command

import sparring
from sparring.errors import InputError

DOCS = Path(__file__).parents[2] / "docs"


def code_of(page):
    return re.search(r"```python\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)[1]


def located(message, code, text):
    """A message with the number of the line of a file in which a text begins in place of LINE."""
    return message.replace("LINE", f"line {code[: code.index(text)].count(chr(10)) + 1}") if text else message


@pytest.fixture
def own(tmp_path, pictures):
    """Trains the recipe of docs/your-own.md with one text replaced by another."""
    folder = pictures(3)

    def train(before="", after=""):
        code = code_of("your-own.md")
        assert before in code
        (tmp_path / "mygan.py").write_text(code.replace(before, after))
        return sparring.train(
            str(tmp_path / "mygan.py"), folder, out=tmp_path / "run", steps=1, quiet=True, size=28, batch=8
        )

    return train


NETS = "Generator(self.z, size, channels, self.width), dcgan.Discriminator(size, channels, self.width)"
MISTAKES = {
    "syntax": ("labels: bool | None = False", "labels: bool | = False", "mygan.py, LINE: SyntaxError: invalid syntax$"),
    "import": ("import dcgan", "import dcgam", "mygan.py, LINE: ImportError: cannot import name 'dcgam'"),
    "swapped nets": (f"return {NETS}", f"G, D = {NETS}\n        return D, G", "Discriminator as G, .*; return G first"),
    "one net": (NETS, "Generator(self.z, size, channels, self.width)", "nets returns Generator; return G and D"),
    "no Discriminator": ("dcgan.Discriminator(size, channels, self.width)", "nn.Linear(3, 1)", "Linear as D; derive"),
    "no label": ("forward(self, z, label=None)", "forward(self, z)", "G is called with latents .* and labels"),
    "shape": ("[..., : self.size, : self.size]", "[..., :9, :9]", r"G returns values of shape \(3, 9, 9\), but"),
    "name": ("lower.mean()", "lower.men()", "mygan.py, LINE: AttributeError: .*one step was trained"),
    "logits": (
        f"return {NETS}",
        "class Square(dcgan.Discriminator):\n            def judge(self, h, label=None):\n"
        "                return super().judge(h)[:, None] - super().judge(h)\n"
        f"        return {NETS.replace('dcgan.Discriminator', 'Square')}",
        r"D returns logits of shape \(8, 8\); return one logit per sample",
    ),
    "decorator": ("@dataclass(frozen=True)\n", "", r"write @dataclass\(frozen=True\) above class Mygan, as"),
    "no phase": (
        "    def nets(",
        "    def phases(self, game):\n        return []\n\n    def nets(",
        "mygan has no phase with a share",
    ),
    "abstract": ("def nets", "def net", "defines 0 recipes .Mygan lacks nets.; a recipe file must"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_in_a_recipe(own, tmp_path, mistake):
    before, after, message = MISTAKES[mistake]
    changed = code_of("your-own.md").replace(before, after)
    with pytest.raises(InputError, match=located(message, changed, after)) as error:
        own(before, after)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()


def test_a_phase_without_a_share_is_not_played(own):
    """The second phase would raise an error; at its end, progress would be divided by 0."""
    phases = """    def phases(self, game):
        from sparring.recipes.base.recipe import Phase
        first, *_ = super().phases(game)
        return [first, Phase([None], 0.0)]

"""
    assert own("    def nets(", f"{phases}    def nets(").recipe.name == "mygan"


def test_a_dry_run_changes_nothing(own, monkeypatch):
    first = own().game.state_dict()
    monkeypatch.setattr("sparring.training.setup.dry_run", lambda *_: None)
    monkeypatch.setattr("sparring.runs.folder.RunFolder.claim", lambda *_: False)
    second = own().game.state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


KIND_MISTAKES = {
    "class": ("(Strips(),)", "(Strips,)", r"takes holds the class Strips; give an instance: Strips\(\)"),
    "not a tuple": ("(Strips(),)", "Strips()", "give a tuple of the modalities"),
    "no features_name": ('    features_name: ClassVar[str] = "places"\n', "", "Strips does not declare features_name"),
    "abstract": ("def unscale", "def unscaled", "strips.py, line .*: TypeError: .*unscale"),
    "shape": (".flatten(1).float()", ".float()", r"scale returns values of shape \(6, 4\), but .* shape \(24,\)"),
    "features": ("return samples[VALUES]\n", "return samples[VALUES].mean(1)\n", "features returns a tensor of shape"),
    "preview": ("return Image.fromarray(strips)", "return strips", "preview returns ndarray; return a PIL image"),
    "decode": (".argmax(2)", ".argmax(5)", "strips.py, LINE: IndexError: .*while samples were decoded and drawn"),
}


@pytest.mark.parametrize("mistake", KIND_MISTAKES)
def test_mistakes_in_a_kind(tmp_path, mistake):
    before, after, message = KIND_MISTAKES[mistake]
    code = code_of("your-own-kind.md")
    assert before in code
    changed = code.replace(before, after)
    (tmp_path / "strips.py").write_text(changed)
    random = np.random.default_rng(0)
    (tmp_path / "a.strips").write_text("\n".join("".join(random.choice(list("rgbk"), 6)) for _ in range(80)))
    with pytest.raises(InputError, match=located(message, changed, after)) as error:
        sparring.train(str(tmp_path / "strips.py"), tmp_path / "a.strips", out=tmp_path / "run", steps=1, quiet=True)
    assert "\n" not in str(error.value)


def test_a_recipe_file_that_is_not_there_anymore(own, tmp_path, monkeypatch):
    own()
    file, model = tmp_path / "mygan.py", tmp_path / "run" / "model"
    code = file.read_text()
    (tmp_path / "elsewhere").mkdir()
    file.rename(tmp_path / "elsewhere" / "mygan.py")
    monkeypatch.chdir(tmp_path / "elsewhere")  # the current folder is no place to look for it
    with pytest.raises(InputError, match=rf"needs its recipe file .*, which is not there; copy mygan.py to {model}"):
        sparring.load(tmp_path / "run", trust=True)
    for place in (model, tmp_path / "run"):
        (place / "mygan.py").write_text(code)
        assert sparring.load(tmp_path / "run", trust=True).recipe.name == "mygan"
        (place / "mygan.py").unlink()
    changed = code.replace("width: Count", "channels: Count").replace("self.width)", "self.channels)")
    (model / "mygan.py").write_text(changed)
    with pytest.raises(InputError, match=r"another version of .*mygan.py and cannot be read: .* no field 'width'"):
        sparring.load(tmp_path / "run", trust=True)


ENDS = (
    "raise SystemExit('bye')",
    "import sys; sys.exit(0)",
    "raise BaseException('base')",
    "1 / 0",
)
PLACES = {
    "at import": (
        "from torch import nn", "{}\nfrom torch import nn", "the recipe file cannot be imported: mygan.py, LINE: ",
    ),
    "when it is created": (
        "    def nets(", "    def __post_init__(self):\n        {}\n\n    def nets(", "^mygan.py, LINE: ",
    ),
    "when nets are built": (
        "        return Generator(self.z,", "        {}\n        return Generator(self.z,",
        "mygan.py, LINE: .*while the nets were built",
    ),
}  # fmt: skip


@pytest.mark.parametrize("statement", ENDS)
@pytest.mark.parametrize("place", PLACES)
def test_a_recipe_that_raises_or_exits(own, place, statement):
    before, after, message = PLACES[place]
    after = after.replace("{}", statement)
    line = code_of("your-own.md").replace(before, after).partition(statement)[0].count("\n") + 1
    with pytest.raises(InputError, match=message.replace("LINE", f"line {line}")):
        own(before, after)


def test_fields_without_a_description(own):
    """They are plain fields of a dataclass."""
    own("    lr: Positive = 2e-4\n", "    lr: Positive = 2e-4\n    own: int = 7\n")


def test_an_error_without_a_message(own):
    """Its class is the user's own, and fails when it is asked for its message."""
    code = "class Odd(Exception):\n            def __str__(self):\n                raise ValueError\n        raise Odd"
    with pytest.raises(InputError, match=r"mygan.py, line \d+: Odd: Odd \(while"):
        own("        return Generator(self.z,", f"        {code}\n        return Generator(self.z,")


def test_a_recipe_file_imports_its_neighbor(own, tmp_path):
    (tmp_path / "numbers_of_mine.py").write_text("WIDTH = 5\n")
    import_ = "from numbers_of_mine import WIDTH\nfrom torch import nn\n"
    own("from torch import nn\n", import_)
    assert "numbers_of_mine" in sys.modules


def test_a_changed_recipe_file_is_said_on_resume(own, tmp_path, pictures, capsys):
    own()
    file = tmp_path / "mygan.py"
    file.write_text(file.read_text() + "\n# nothing new\n")
    sparring.train(str(file), pictures(3), out=tmp_path / "run", steps=2, resume=True)
    assert f"{file} has changed since the run began; the run continues with the new code" in capsys.readouterr().out


def test_errors_of_a_kind_are_one_line_in_every_command(tmp_path, monkeypatch, capsys):
    """Reading, drawing and writing run outside of the dry run."""
    monkeypatch.chdir(tmp_path)
    code = code_of("your-own-kind.md")
    (tmp_path / "a.strips").write_text("rgbk\n" * 40 + "bbgr\n" * 40)
    for before, after, line in (
        ("path.read_text()", "path.read_pages()", "train a.strips --recipe s.py --steps 1"),
        ("def fit(self, items):\n", "def fit(self, items):\n        1 / 0\n", "train a.strips --recipe s.py --steps 1"),
        ("path.read_text()", "path.read_pages()", "check a.strips --recipe s.py"),
    ):
        assert before in code
        (tmp_path / "s.py").write_text(code.replace(before, after))
        status, errors = command(monkeypatch, capsys, line)
        assert status == 2
        assert len(errors) == 1
        assert re.match(r"sparring: s\.py, line \d+: (AttributeError|ZeroDivisionError): ", errors[0]), errors
