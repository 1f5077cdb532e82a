"""Each planted problem is reported by its name, and healthy runs have none."""

import json

import numpy as np
import pytest

import sparring
from sparring.errors import InputError
from sparring.training.health import Health
from sparring.training.until import Until

HEAD = """
from dataclasses import dataclass
import torch
from torch.optim import Adam
from functools import partial
from sparring.games.terms import Formula
from sparring.recipes.base import Phase
from sparring.recipes.gan import Gan

@dataclass(frozen=True)
class Planted(Gan):
"""
FAST_D = """
    def phases(self, game):
        adam = partial(Adam, betas=(self.beta1, self.beta2))
        return [Phase(game.players(partial(adam, lr=1000 * self.lr), partial(adam, lr=self.lr)))]
"""
BLIND_G = """
    def game(self, modality):
        game = super().game(modality)
        game.draw = lambda n, device, truncation=None: torch.zeros(n, self.z, device=device)
        return game
"""
NAN = """
    def game(self, modality):
        game = super().game(modality)
        def weight(progress):
            if float(progress) < 50 / 300 or {stopped}:
                return torch.zeros(())
            open({flag!r}, "w").close()
            return torch.full((), torch.nan)
        game.terms.append(Formula("planted", weight, lambda judged: judged.on_real.logits.mean()))
        return game
"""


SMALL = {"G": (128, 128), "D": (128, 128)}


@pytest.fixture(autouse=True)
def often_logged(monkeypatch):
    """Lines of the log a few steps apart, also on machines that take all steps of a test in a second."""
    monkeypatch.setattr("sparring.training.clock.CHECK_SECONDS", 0.02)
    monkeypatch.setattr("sparring.training.clock.LOG_SECONDS", 0.05)


def problems(run):
    path = run / "health.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def planted(tmp_path, code, data="digits", **settings):
    (tmp_path / "planted.py").write_text(HEAD + code)
    settings = {**SMALL, **settings}
    return sparring.train(str(tmp_path / "planted.py"), data, out=tmp_path / "run", quiet=True, **settings)


@pytest.mark.parametrize(
    ("code", "name"), [(FAST_D, "D has won"), (BLIND_G, "mode collapse")], ids=["D's rate x 1000", "G ignores z"]
)
def test_planted_problems(tmp_path, monkeypatch, code, name):
    monkeypatch.setattr("sparring.training.watch.MIN_SECONDS", 0.5)
    model = planted(tmp_path, code, steps=800)
    found = problems(tmp_path / "run")
    assert [problem["problem"] for problem in found] == [name]
    assert found[0]["step"] < 700
    assert found[0]["advice"]
    assert name in (tmp_path / "run" / "README.md").read_text()
    assert model.about["problems"] == found


def test_twenty_images_are_memorized(tmp_path):
    random = np.random.default_rng(0)
    np.savez(tmp_path / "twenty.npz", images=random.integers(0, 255, (20, 12, 12), dtype=np.uint8))
    planted(tmp_path, "    pass\n", tmp_path / "twenty.npz", steps=700)
    assert [problem["problem"] for problem in problems(tmp_path / "run")] == ["D memorizes"]


def test_a_nan_is_gone_back_from_once(tmp_path):
    """With other draws it is past: the run ends well, the learning rate is lower, and all is written down."""
    flag = str(tmp_path / "seen")
    code = NAN.format(stopped=f"__import__('os').path.exists({flag!r})", flag=flag)
    model = planted(tmp_path, code, steps=300)
    first, back = problems(tmp_path / "run")
    assert first["problem"] == "not finite"
    assert first["step"] < 300
    assert back == {"step": first["step"], "back_to": 0, "salt": 1}
    assert model.about["rollbacks"] == 1
    assert model.about["step"] == 300
    assert all(np.isfinite(w.detach().numpy()).all() for w in model.game.parameters())
    steps = [json.loads(line)["step"] for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert steps == sorted(set(steps))


def test_a_nan_that_stays_ends_the_run_with_advice(tmp_path):
    with pytest.raises(InputError, match=r"stopped at step \d+: not finite \(.* is nan\); lower lr"):
        planted(tmp_path, NAN.format(stopped="False", flag=str(tmp_path / "seen")), steps=300)
    assert [p.get("problem", "back") for p in problems(tmp_path / "run")] == ["not finite", "back", "not finite"]


@pytest.mark.parametrize(
    ("recipe", "data", "fields", "steps"),
    [
        ("gan", "digits", SMALL, 500),
        ("dcgan", "digits", {"width": 16, "batch": 32}, 500),
        ("r3gan_mlp", "ring", {}, 500),
        ("wgan_gp", "digits", {"width": 8, "batch": 8}, 320),
        ("r3gan_strided", "digits", {"width": 16, "batch": 32, "augment": "ada"}, 320),
    ],
)
def test_healthy_runs_are_left_alone(tmp_path, monkeypatch, recipe, data, fields, steps):
    monkeypatch.setattr("sparring.training.watch.MIN_SECONDS", 0.5)
    sparring.train(recipe, data, out=tmp_path / "run", steps=steps, quiet=True, **fields)
    assert problems(tmp_path / "run") == []


STEADY = {"D/adversarial": 0.6, "D_accuracy": 0.7, "D_real": 1.0, "D_held": 0.8, "D_fake": 0.0, "gradient_G": 0.1}


def named(numbers, steps=600):
    """What is said of a run whose numbers are always these."""
    health = Health()
    return [t.name for step in range(0, steps, 20) for t in health.note(step, STEADY | numbers)]


@pytest.mark.parametrize(
    ("numbers", "names"),
    [
        ({}, []),
        ({"D/adversarial": 0.001, "D_accuracy": 1.0, "D_real": 9.0, "D_held": 9.0}, ["D has won"]),
        ({"D/adversarial": -50.0, "D_accuracy": 1.0, "D_real": 60.0, "D_held": 60.0}, []),  # a critic
        ({"gradient_G": 1e-6}, ["vanishing gradients"]),
        ({"gradient_G": 1e-6, "D_accuracy": 0.5}, []),  # G has nothing left to learn
        ({"diversity": 0.1}, ["mode collapse"]),
        ({"diversity": 0.6}, []),
        ({"D_accuracy": 0.9, "D_held": -0.5}, ["D memorizes"]),
        ({"D_accuracy": 0.9, "D_held": 0.5}, []),
    ],
)
def test_numbers_and_names(numbers, names):
    assert named(numbers) == names
    assert named(numbers, steps=250) == []  # nothing is judged too soon


@pytest.mark.parametrize(
    ("fields", "advice"),
    [
        (
            {"augment": "none", "flip": False},
            "train with augment=ada, flip=true, a narrower net, more data, or fewer steps",
        ),
        ({"augment": "ada"}, "train with a narrower net, more data, or fewer steps"),
        ({"augment": "ada", "crop": 0.2}, "train with a narrower net, more data, or fewer steps"),
        ({"flip": True, "crop": 0.0}, "train with crop=0.1, a narrower net, more data, or fewer steps"),
        ({}, "train with a narrower net, more data, or fewer steps"),
    ],
)
def test_advice_names_settings_that_the_recipe_has_and_that_are_not_set(fields, advice):
    health = Health(fields=fields)
    numbers = STEADY | {"D_accuracy": 0.9, "D_held": -0.5}
    assert {f.advice for step in range(0, 600, 20) for f in health.note(step, numbers)} == {advice}


def test_a_diversity_that_grows_is_no_collapse():
    health = Health()
    said = [t for step in range(0, 900, 100) for t in health.note(step, STEADY | {"diversity": step / 4000})]
    assert not said


def test_oscillation():
    health = Health()
    scores = [5, 3, 1, *[2, 3, 1.5, 3, 2, 4, 2, 3]]
    said = [[t.name for t in health.note(100 * i, STEADY | {"fid": s})] for i, s in enumerate(scores)]
    assert said[-1] == ["no progress"]
    assert not any(said[:-1])


def test_until():
    until = Until("plateau")
    met = [until.met({"fid": s}) for s in [3, 2, 1, *[1.2, 1.1] * 4]]
    assert met[-1].startswith("the score has not improved on 1")
    assert not any(met[:-1])
    target = Until("fid<0.5")
    assert [bool(target.met({"fid": s})) for s in (0.6, 0.4)] == [False, True]
    even = Until("equilibrium")
    assert not any(even.met({"D_accuracy": 0.55, "diversity": 0.2}) for _ in range(9))  # collapsed is no equilibrium
    assert [bool(even.met({"D_accuracy": 0.55, "diversity": 0.9})) for _ in range(5)] == [False] * 4 + [True]
    with pytest.raises(InputError, match="did you mean 'plateau'"):
        Until("platau")


def test_until_ends_a_run(tmp_path, monkeypatch):
    monkeypatch.setattr("sparring.training.watch.MIN_SECONDS", 0.1)
    model = sparring.train("gan", "digits", out=tmp_path / "run", steps=5000, quiet=True, until="fid<5", **SMALL)
    assert model.about["step"] < 5000
