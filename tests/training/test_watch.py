"""Watching: what is looked at is right, and looking changes nothing."""

import json
from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image

import sparring
from sparring import recipes
from sparring.console import Screen
from sparring.modalities import find
from sparring.runs.curves import curves
from sparring.seeds import Seeds
from sparring.training import checkpoint, watch
from sparring.training.prepare import prepare, room
from sparring.training.score import Scorer
from sparring.training.scored_samples import ScoredSamples


@pytest.fixture(scope="module")
def digits():
    recipe = recipes.find("gan").set({"G": (32,), "D": (32,)})
    items = find("digits")
    modality, data, _ = prepare(recipe, recipe.modality("images").fit(items), items, 2**30, Screen(quiet=True))
    return recipe, modality, data


class Copier(torch.nn.Module):
    """A game whose samples are real items: any, or one of each class."""

    def __init__(self, modality, data, various):
        super().__init__()
        self.real = modality.batch({"values": data.tensors["values"]})["values"]
        self.labels = data.tensors["condition"]
        self.various = various

    def draw(self, n, device, truncation=None):  # noqa: ARG002
        return torch.randint(1 << 30, (n,))

    def generate(self, z, label):
        chosen = []
        for number, y in zip(z, label, strict=True):
            members = torch.nonzero(self.labels == y).flatten()
            chosen.append(members[int(number) % len(members) if self.various else 0])
        return {"values": self.real[torch.stack(chosen)]}


def test_scorer(digits):
    """Real items score near the floor and are as diverse as themselves; one of each class is neither."""
    _, modality, data = digits
    scorer = Scorer(ScoredSamples(modality, data, Seeds(0), torch.device("cpu")))
    real, few = Copier(modality, data, True), Copier(modality, data, False)
    assert scorer.score(real) < 2 * scorer.floor < scorer.score(few)
    assert scorer.diversity(real) == pytest.approx(1, abs=0.15)
    assert scorer.diversity(few) == 0
    assert scorer.score(real) == scorer.score(real)


def test_watching_changes_nothing(tmp_path, monkeypatch):
    """Measuring all the time gives the same weights as never measuring."""
    for name, wait, between in (("often", 0.0, 64), ("never", 1e9, 10**9)):
        monkeypatch.setattr(watch, "MIN_SECONDS", wait)
        monkeypatch.setattr("sparring.training.score.MIN_SAMPLES_BETWEEN", between)
        monkeypatch.setattr(watch, "MAX_DIVERSITY_TIME", 1e9)
        monkeypatch.setattr(watch, "MIN_STEPS_BETWEEN_DIVERSITY", 1)
        monkeypatch.setattr("sparring.training.clock.LOG_SECONDS", 0.0)
        fields = {"G": (16,), "D": (16,), "augment": "ada"}
        sparring.train("gan", "digits", out=tmp_path / name, steps=30, quiet=True, **fields)
    often, never = (checkpoint.latest(tmp_path / name / "checkpoints", dict)[0] for name in ("often", "never"))
    assert all(torch.equal(often[key], never[key]) for key in never)
    lines = [json.loads(line) for line in (tmp_path / "often" / "log.jsonl").read_text().splitlines()]
    assert any("fid[patches]" in line for line in lines)
    about = json.loads((tmp_path / "often" / "model" / "model.json").read_text())["about"]
    assert set(about["scores"]) == {"fid", "floor", "diversity"}
    assert "fid[patches]" in (tmp_path / "often" / "README.md").read_text()


def test_the_best_weights_are_kept(tmp_path, monkeypatch, capsys):
    """Where the samples are clearly worse at the end than at the best look, the model is that of the look; the
    checkpoint, from which a run goes on, is not.
    """
    scores = {20: 3.0, 10: 1.0}  # of steps; the last has 5
    monkeypatch.setattr("sparring.training.score.MIN_SAMPLES_BETWEEN", 640)
    kept = {}

    def score(self, game):
        step = self.run_step()
        kept.setdefault(step, {name: w.clone() for name, w in game.G.state_dict().items()})
        return scores.get(step, 5.0)

    made = watch.Watch.__init__
    monkeypatch.setattr(watch.Scorer, "score", score)
    monkeypatch.setattr(
        watch.Watch, "__init__", lambda w, run: (made(w, run), setattr(watch.Scorer, "run_step", lambda _: run.step))[0]
    )
    fields = {"G": (16,), "D": (16,), "batch": 64}
    model = sparring.train("gan", "digits", out=tmp_path / "run", steps=30, **fields)
    assert all(torch.equal(w, kept[10][name]) for name, w in model.game.G.state_dict().items())
    assert model.about["scores"]["step"] == 10
    assert "weights of step 10: fid[patches] 1, at last 5" in capsys.readouterr().out
    tensors, _, _ = checkpoint.latest(tmp_path / "run" / "checkpoints", dict)
    assert all(torch.equal(tensors[f"average.G.{name}"], w) for name, w in kept[30].items())


def test_the_best_score_is_read_once_and_after_each_start(tmp_path, monkeypatch):
    """Reading it at each score would read the weights, too. A resumed run must not forget it."""
    monkeypatch.setattr("sparring.training.score.MIN_SAMPLES_BETWEEN", 640)
    read = []
    latest = checkpoint.latest
    monkeypatch.setattr(checkpoint, "latest", lambda folder, kind: read.append(folder.name) or latest(folder, kind))
    train = partial(sparring.train, "gan", "digits", out=tmp_path, quiet=True, G=(16,), D=(16,), batch=64)
    for steps, scores, best in ((40, [3.0, 2.0, 4.0, 2.5, 2.5], 20), (60, [2.2, 2.1, 2.1], 20)):
        values = iter(scores)
        monkeypatch.setattr(watch.Scorer, "score", lambda *_, values=values: next(values))
        read.clear()
        train(steps=steps, resume=steps > 40)
        assert read.count("best") == 2  # before the first score of this start, and at its end
        assert latest(tmp_path / "checkpoints" / "best", watch.BestState)[1]["step"] == best


def test_wavering_scores_keep_the_last_weights(tmp_path, monkeypatch):
    monkeypatch.setattr("sparring.training.score.MIN_SAMPLES_BETWEEN", 640)
    scores = iter([1.0, 1.05, 1.08, 1.08])
    monkeypatch.setattr(watch.Scorer, "score", lambda *_: next(scores))
    model = sparring.train("gan", "digits", out=tmp_path, steps=30, quiet=True, G=(16,), D=(16,), batch=64)
    assert "step" not in model.about["scores"]


def test_curves_of_any_log(tmp_path):
    """Of a run with one line, and with names of all kinds."""
    lines = [{"step": 1, "kimg": 0.1, "D/adversarial": 1.0}]
    curves(lines)
    line = {"kimg": 0.2, "G/adversarial": 2.0, "D_real": 1.0, "D_accuracy": 0.5, "fid[patches]": 3.0, "gradient_G": 0.1}
    (tmp_path / "curves.png").write_bytes(curves([*lines, line], floor=1.0))
    assert min(Image.open(tmp_path / "curves.png").size) > 300


def test_what_is_held_out_is_not_trained_on(digits):
    _, _, data = digits
    assert not set(data.train.tolist()) & set(data.held.tolist())
    assert len(data.train) + len(data.held) == 1797
    assert np.bincount(data.tensors["condition"][data.held].numpy()).min() >= 17


@pytest.mark.parametrize(("text", "bytes_"), [("500M", 500 * 2**20), ("2G", 2**31), ("1.5 GiB", 3 * 2**29), ("99", 99)])
def test_amounts_of_memory(text, bytes_):
    assert room(text, torch.device("cpu")) == bytes_


def test_larger_than_memory_trains_the_same(tmp_path):
    """From disk the run ends with the same weights, and says how many it holds out."""
    random = np.random.default_rng(0)
    (tmp_path / "set").mkdir()
    for i in range(40):
        Image.fromarray(random.integers(0, 255, (8, 8), dtype=np.uint8)).save(tmp_path / "set" / f"{i:02}.png")
    models = [
        sparring.train(
            "gan", tmp_path / "set", out=tmp_path / memory, steps=10, quiet=True, memory=memory, G=(8,), D=(8,)
        )
        for memory in ("1G", "1k")
    ]
    one, two = (dict(model.game.named_parameters()) for model in models)
    assert all(torch.equal(one[name], two[name]) for name in one)
