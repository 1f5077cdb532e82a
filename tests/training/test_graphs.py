"""Steps that are recorded and replayed equal plain ones. Here a function that runs again on the same tensors, and puts
its results where the first ones were, stands for a CUDA graph; tests/gpu/ has the same tests with real ones.
"""

from functools import partial

import pinned
import pytest
import torch
from torch.optim import SGD, Adam
from toys import Noisy, Spies, played, state

from sparring import recipes
from sparring.seeds import reseed
from sparring.training import checkpoint, graphs
from sparring.training.graphs import Graphs, Recording, taker

CASES = (
    "images-dcgan", "images-wgan_gp", "images-stylegan2", "images-r3gan", "images-vaegan", "points-gan", "rows-table",
    "series-quantgan", "series-timegan", "unpaired-cyclegan", "degraded-esrgan",
)  # fmt: skip
STEPS = 19  # the third one with held-out items, which is recorded, is number 17


class Replayed:
    """Stands for `graphs.Captured`. Nothing runs when it is made, and all results stay in the tensors of the first
    ones."""

    made = 0

    def __init__(self, plain, _):
        self.plain, self.result = plain, None
        Replayed.made += 1

    def __call__(self, seed):
        due = iter(list(self.plain.draws))

        def begin(draw):
            assert draw == next(due)
            reseed(seed(draw), self.plain.device)

        result = self.plain.function(begin)
        if self.result is None:
            self.result = result
        elif result is not None:
            for mine, new in zip(tensors(self.result), tensors(result), strict=True):
                mine.copy_(new)
        assert next(due, None) is None
        return self.result


def tensors(gradient):
    found = [*gradient.losses.values(), *gradient.observed.values(), *gradient.weights]
    return [tensor.detach() for tensor in found if tensor is not None]


@pytest.fixture
def graphed(monkeypatch):
    """Runs record their steps, in memory of the CPU. Returns what they say."""
    said = []
    monkeypatch.setattr(Replayed, "made", 0)
    monkeypatch.setattr(graphs, "Captured", Replayed)
    monkeypatch.setattr(Graphs, "_memory", lambda *_: ("gradients", "updates"))
    monkeypatch.setattr("sparring.training.run.taker", lambda *_: Graphs(said.append))
    return said


def end(run):
    """The last checkpoint."""
    return checkpoint.latest(run / "checkpoints", dict)[0]


@pytest.fixture
def records(monkeypatch):
    """The losses and observations of all steps of runs."""
    found = []
    monkeypatch.setattr("sparring.runs.logbook.Logbook.add", lambda _, step: found.append(step))
    return found


@pytest.mark.parametrize("case", CASES)
def test_a_run_with_graphs_equals_one_without(case, tmp_path, records, request):
    (tmp_path / "plain").mkdir()
    (tmp_path / "graphs").mkdir()
    pinned.trained(case, tmp_path / "plain", steps=STEPS)
    said = request.getfixturevalue("graphed")
    pinned.trained(case, tmp_path / "graphs", steps=STEPS)
    plain, recorded = (end(tmp_path / name / "run") for name in ("plain", "graphs"))
    assert not said
    assert Replayed.made >= 2
    assert plain.keys() == recorded.keys()
    assert [name for name in plain if not torch.equal(plain[name], recorded[name])] == []
    assert records[:STEPS] == records[STEPS:]


def test_a_resumed_run_with_graphs_ends_the_same(graphed, tmp_path):
    pinned.trained("images-dcgan", tmp_path, steps=14)
    whole = end(tmp_path / "run")
    pinned.trained("images-dcgan", tmp_path, steps=7, force=True)
    pinned.trained("images-dcgan", tmp_path, steps=14, resume=True)
    resumed = end(tmp_path / "run")
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    assert not graphed


# With toy games.


def graphs_of(monkeypatch, said):
    monkeypatch.setattr(graphs, "Captured", Replayed)
    monkeypatch.setattr(Graphs, "_memory", lambda *_: ("gradients", "updates"))
    return Graphs(said.append)


@pytest.mark.parametrize("shards", [1, 2])
@pytest.mark.parametrize("clip", [None, 0.01])
def test_records_equal_those_of_plain_steps(monkeypatch, shards, clip):
    ends = []
    for take in ({}, {"take": graphs_of(monkeypatch, said := [])}):
        game = Noisy()
        players = game.players(partial(Adam, lr=0.01, fused=True), turns=2, clip=clip)
        steps = list(played(game, players, 8, shards=shards, **take))
        ends.append((steps, state(game), [w.grad for player in players for w in player.weights]))
    (plain, game, slopes), (recorded, again, slopes_again) = ends
    assert plain == recorded
    torch.testing.assert_close(game, again, rtol=0, atol=0)
    torch.testing.assert_close(slopes, slopes_again, rtol=0, atol=0)
    assert not said


def test_a_schedule_keeps_the_update_out_of_the_graph(monkeypatch):
    """The number that a graph holds must never be an old one."""
    ends = []
    for take in ({}, {"take": graphs_of(monkeypatch, [])}):
        # Constant from the middle of the run on, when it is recorded.
        schedule = {"schedule": lambda progress: {"lr": max(0.5, 1 - progress)}}
        game = Spies(D=schedule, G={})
        for player in game.players:
            player.optimizer = SGD(player.weights, 1.0, fused=True)
        monkeypatch.setattr(Replayed, "made", 0)
        list(played(game, game.players, 12, **take))
        ends.append((game.at("D"), game.at("G")))
    assert ends[0] == ends[1]
    assert Replayed.made == 4  # two gradients, and two updates that have settled


def test_a_restored_optimizer_is_recorded_again(monkeypatch):
    """Restoring a checkpoint replaces the tensors that a graph would write to."""
    ends = []
    for take in ({}, {"take": graphs_of(monkeypatch, [])}):
        game = Noisy()
        players = game.players(partial(Adam, lr=0.01, fused=True))
        list(played(game, players, 5, **take))
        for player in players:
            player.optimizer.load_state_dict(player.optimizer.state_dict())
        list(played(game, players, 10, start=5, **take))
        ends.append(state(game))
    torch.testing.assert_close(*ends, rtol=0, atol=0)


def test_an_optimizer_that_computes_on_the_host_stays_out_of_the_graph(monkeypatch):
    monkeypatch.setattr(Replayed, "made", 0)
    game = Noisy()
    list(played(game, game.players(), 6, take=graphs_of(monkeypatch, [])))
    assert Replayed.made == 2


def refusing(why):
    def capture(*_):
        raise RuntimeError(why)

    return capture


def test_what_cannot_be_recorded_is_played_plainly_and_said_once(monkeypatch):
    said, ends = [], []
    for take in (None, graphs_of(monkeypatch, said)):
        monkeypatch.setattr(graphs, "Captured", refusing("a copy waits\nmore"))
        game = Noisy()
        settings = {} if take is None else {"take": take}
        steps = list(played(game, game.players(partial(SGD, lr=0.1, fused=True)), 6, **settings))
        ends.append((steps, state(game)))
    assert ends[0][0] == ends[1][0]
    torch.testing.assert_close(ends[0][1], ends[1][1], rtol=0, atol=0)
    assert said == ["the run does not use CUDA graphs: a copy waits"]


def test_batches_of_too_many_shapes_are_played_plainly(monkeypatch):
    said, game = [], Noisy()
    list(
        played(
            game,
            game.players(),
            20,
            lambda number, _: {"values": torch.randn(2 + number, 2)},
            take=graphs_of(monkeypatch, said),
        )
    )
    assert said == ["the run does not use CUDA graphs: its batches have too many shapes"]


class FakeFabric:
    def __init__(self, device, world_size=1):
        self.device, self.world_size = torch.device(device), world_size


def test_where_graphs_are_used(tmp_path):
    said = []
    (tmp_path / "mine.py").write_text(
        "from dataclasses import dataclass\nfrom sparring.recipes.gan import Gan\n\n"
        "@dataclass(frozen=True)\nclass Mine(Gan):\n    z: int = 3\n"
    )
    gan, mine = recipes.find("gan"), recipes.find(str(tmp_path / "mine.py"))
    assert not isinstance(taker(gan, FakeFabric("cpu"), said.append), Graphs)
    assert isinstance(taker(gan, FakeFabric("cuda"), said.append), Graphs)
    assert not said
    assert not isinstance(taker(gan, FakeFabric("cuda", 2), said.append), Graphs)
    assert not isinstance(taker(mine, FakeFabric("cuda"), said.append), Graphs)
    assert said == [
        "the run does not use CUDA graphs: it has 2 ranks",
        "the run does not use CUDA graphs: the recipe is your own file",
    ]


def test_a_recording_copies_its_first_batch():
    """The caller's tensors may be reused for the next batch."""
    game = Noisy()
    list(played(game, game.players(), 1, take=lambda turns, fabric: copied(list(turns), fabric)))


def copied(turns, fabric):
    recording = Recording(turns, fabric)
    mine, theirs = recording._tensors[0]["values"], turns[0].rounds[0]["values"]
    assert torch.equal(mine, theirs)
    assert mine.data_ptr() != theirs.data_ptr()
    return recording.take(turns)
