"""Scores are computed by all ranks, and are those of one rank."""

from __future__ import annotations

import json
import os
import signal
from functools import partial
from pathlib import Path

import pinned
import pytest
import torch

import sparring
from sparring.training import checkpoint, watch
from sparring.training.scored_samples import ScoredSamples

STEPS, APART = 12, 3  # of a run, and between its scores
GAN = {"G": (16,), "D": (16,), "batch": 16, "shards": 4, "device": "cpu", "steps": STEPS, "quiet": True}


@pytest.fixture(autouse=True)
def _often(monkeypatch):
    """Scores after every third step, on ranks that begin at once as copies of this process."""
    monkeypatch.setattr("sparring.devices.START_METHOD", "fork")
    monkeypatch.setattr("sparring.training.score.MIN_SAMPLES_BETWEEN", APART * GAN["batch"])
    monkeypatch.setattr(watch, "MIN_SECONDS", 0.0)


@pytest.fixture
def computed(monkeypatch, tmp_path):
    """Count the samples that each rank generates for scores. Call it with what happens besides."""
    original = ScoredSamples._computed

    def count(besides=id) -> None:
        def counting(samples, game, batches):
            rank = samples.ranks.rank
            besides(rank)
            with (tmp_path / f"rank{rank}").open("a") as file:
                file.writelines(f"{len(rows)}\n" for _, _, rows in batches)
            return original(samples, game, batches)

        monkeypatch.setattr(ScoredSamples, "_computed", counting)

    return count


def counted(place: Path) -> dict[str, int]:
    """The number of samples of each rank."""
    return {path.name: sum(map(int, path.read_text().split())) for path in sorted(place.glob("rank?"))}


def scores(run: Path) -> dict[int, float]:
    lines = map(json.loads, (run / "log.jsonl").read_text().splitlines())
    return {line["step"]: line["fid[patches]"] for line in lines if "fid[patches]" in line}


def tensors(run: Path) -> dict[str, torch.Tensor]:
    """Those of the run, of its best weights, and of the model."""
    found = {f"run {name}": t for name, t in checkpoint.latest(run / "checkpoints", dict)[0].items()}
    best, state, _ = checkpoint.latest(run / "checkpoints" / "best", dict)
    model = sparring.load(run).game.state_dict()
    step = {"step": torch.tensor(state["step"]), "score": torch.tensor(state["score"], dtype=torch.float64)}
    return found | {f"best {k}": t for k, t in (best | step).items()} | {f"model {k}": t for k, t in model.items()}


def assert_same(one: Path, other: Path) -> None:
    assert scores(one) == scores(other) != {}
    a, b = tensors(one), tensors(other)
    assert a.keys() == b.keys()
    assert [name for name in a if not torch.equal(a[name], b[name])] == []
    assert sparring.load(one).about["scores"] == sparring.load(other).about["scores"]


def test_the_scores_of_ranks_are_those_of_one(tmp_path):
    """All of a rank's samples are the same, wherever they are computed: those of scores and of the diversity."""
    for ranks in (1, 2, 4):
        (tmp_path / str(ranks)).mkdir()
        sparring.train("gan", "digits", out=tmp_path / str(ranks), ranks=ranks, **GAN)
    assert set(scores(tmp_path / "1")) == set(range(APART, STEPS + 1, APART))
    assert_same(tmp_path / "1", tmp_path / "2")
    assert_same(tmp_path / "1", tmp_path / "4")


@pytest.mark.parametrize(
    "case", ["pairs-pix2pix", pytest.param("images-stylegan2", marks=pytest.mark.slow), "rows-table"]
)
def test_samples_of_items_of_noise_and_of_conditions_are_those_of_one_rank(case, tmp_path):
    """A part is generated from items, with random noise in the net, or for random conditions."""
    for ranks in (1, 2):
        (tmp_path / str(ranks)).mkdir()
        pinned.trained(case, tmp_path / str(ranks), steps=2, batch=16, shards=2, ranks=ranks)
    one, two = (sparring.load(tmp_path / ranks / "run").about["scores"] for ranks in "12")
    assert one == two
    assert set(one) == {"fid", "floor", "diversity"}


def test_each_rank_generates_a_part(tmp_path, computed):
    """Five batches of each score, four of the log and the last one; and the two of the diversity at the end."""
    computed()
    sparring.train("gan", "digits", out=tmp_path / "run", ranks=2, **GAN)
    assert counted(tmp_path) == {"rank0": 5 * 200 + 64, "rank1": 5 * 300 + 64}


def test_the_best_weights_are_restored_on_the_first_rank_alone(tmp_path, monkeypatch):
    """The others have the last weights then, of which they must not compute the diversity."""
    original, made = watch.Scorer.score, watch.Watch.__init__

    def watching(self, run):
        made(self, run)
        worse = {APART: 0.0}  # by step
        monkeypatch.setattr(watch.Scorer, "score", lambda s, game: original(s, game) + worse.get(run.step, 1e6))

    monkeypatch.setattr(watch.Watch, "__init__", watching)
    for ranks in (1, 2):
        sparring.train("gan", "digits", out=tmp_path / str(ranks), ranks=ranks, **GAN)
    assert sparring.load(tmp_path / "2").about["scores"]["step"] == APART
    assert_same(tmp_path / "1", tmp_path / "2")


def test_until_ends_all_ranks_at_the_same_step(tmp_path):
    worst = 1e9
    for ranks in (1, 2):
        sparring.train("gan", "digits", out=tmp_path / str(ranks), ranks=ranks, until=f"fid<{worst}", **GAN)
    assert sparring.load(tmp_path / "2").about["step"] == sparring.load(tmp_path / "1").about["step"] < STEPS
    assert_same(tmp_path / "1", tmp_path / "2")


@pytest.mark.parametrize("interrupted", [0, 1])
def test_a_signal_while_samples_are_scored_stops_no_rank_in_the_middle(tmp_path, computed, monkeypatch, interrupted):
    """The first rank's signal ends the run for all after the step, another one's does not; resumed, it is the same."""
    monkeypatch.setattr("sparring.training.clock.CHECK_SECONDS", 0.0)  # look after every step
    train = partial(sparring.train, "gan", "digits", **GAN)
    train(out=tmp_path / "whole")
    signaled = tmp_path / "signaled"

    def once(rank: int) -> None:
        if rank == interrupted and not signaled.exists():
            signaled.touch()
            os.kill(os.getpid(), signal.SIGTERM)

    computed(once)
    model = train(out=tmp_path / "run", ranks=2)
    assert model.about["stopped"] is (interrupted == 0)
    assert model.about["step"] == (STEPS if interrupted else APART + 1)
    train(out=tmp_path / "run", ranks=2, resume=True)
    assert_same(tmp_path / "whole", tmp_path / "run")


def test_a_rollback_forgets_the_best_score_on_any_number_of_ranks(tmp_path, monkeypatch):
    """Before a number that is not finite at the seventh step, scores are lower than any that follow."""
    monkeypatch.setattr("sparring.training.clock.CHECK_SECONDS", 0.0)  # look after every step
    monkeypatch.setattr("sparring.training.clock.LOG_SECONDS", 0.0)
    original, state = watch.Watch._score, watch.Watch._state
    score = watch.Scorer.score

    def lower_at_first(self):
        shift = 0.0 if self.run.salt else -1e6
        monkeypatch.setattr(watch.Scorer, "score", lambda scorer, game: score(scorer, game) + shift)
        return original(self)

    def broken_once(self):
        return state(self) | ({"x": float("nan")} if self.run.step == 7 and not self.run.salt else {})

    monkeypatch.setattr(watch.Watch, "_score", lower_at_first)
    monkeypatch.setattr(watch.Watch, "_state", broken_once)
    for ranks in (1, 2):
        model = sparring.train("gan", "digits", out=tmp_path / str(ranks), ranks=ranks, **GAN)
        assert model.about["rollbacks"] == 1
    assert_same(tmp_path / "1", tmp_path / "2")
    assert min(scores(tmp_path / "2").values()) == tensors(tmp_path / "2")["best score"] > 0
