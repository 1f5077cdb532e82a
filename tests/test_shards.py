"""A run ends bit for bit the same on any number of ranks that share its shards."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pinned
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import sparring
from sparring import devices
from sparring.errors import InputError
from sparring.loop import play
from sparring.shards import Tree, buckets
from sparring.training import checkpoint
from sparring.training.run import before_shards

STEPS = {"images-stylegan2": 17}  # its lazy players move in the first and in the last one
FIELDS = {
    "images-r3gan_strided": {"augment": "ada", "batch": 8},  # ADA's probability
    "images-stylegan2": {"augment": "ada", "batch": 16},  # two players share an optimizer; the mean path length
    "images-fastgan": {"batch": 8},  # spectral and batch norm in G
    "unpaired-cyclegan": {"batch": 8, "pool": 8},  # a pool of past fakes for each shard
    "rows-table": {"batch": 8},  # conditions
}


@pytest.fixture(autouse=True)
def _forked(monkeypatch):
    """Ranks begin at once, as copies of this process, which computes with one thread."""
    monkeypatch.setattr(devices, "START_METHOD", "fork")


def end(run: Path) -> dict[str, Tensor]:
    return checkpoint.latest(run / "checkpoints", dict)[0]


def differing(one: dict[str, Tensor], other: dict[str, Tensor]) -> list[str]:
    assert one.keys() == other.keys()
    return [name for name in one if not torch.equal(one[name], other[name])]


def trained(case: str, folder: Path, shards: int = 4, steps: int = 0, **changed) -> dict[str, Tensor]:
    """All tensors at the end of a run."""
    folder.mkdir(exist_ok=True)
    steps = steps or STEPS.get(case, 5)
    pinned.trained(case, folder, fields={**FIELDS[case], "shards": shards}, steps=steps, **changed)
    return end(folder / "run")


@pytest.mark.parametrize(
    "case", [case if case == "images-r3gan_strided" else pytest.param(case, marks=pytest.mark.slow) for case in FIELDS]
)
def test_equal_on_any_number_of_ranks(case, tmp_path):
    """Two ranks are those of the test below."""
    assert differing(trained(case, tmp_path / "1"), trained(case, tmp_path / "4", ranks=4)) == []


@contextmanager
def third_step(*_):
    """Ctrl-C after three steps."""
    looks = iter(range(1, 100))
    yield lambda: signal.SIGINT if next(looks) >= 3 else 0


def test_stopped_and_resumed_on_other_numbers_of_ranks(tmp_path, monkeypatch):
    case = "unpaired-cyclegan"
    whole = trained(case, tmp_path / "whole", steps=9)
    monkeypatch.setattr("sparring.training.clock.CHECK_SECONDS", 0.0)  # look after every step
    monkeypatch.setattr("sparring.training.run.interrupts", third_step)
    for step, ranks in ((3, 4), (6, 1), (9, 2)):
        last = trained(case, tmp_path / "parts", steps=9, ranks=ranks, resume=True)
        assert int(checkpoint.saved(tmp_path / "parts" / "run" / "checkpoints")[-1].name) == step
    assert differing(whole, last) == []
    assert any(name.startswith("shard3.pool_A.") for name in whole)
    assert not torch.equal(whole["shard0.pool_A.past"], whole["shard3.pool_A.past"])


def test_ranks_that_do_not_divide_the_shards_are_refused(tmp_path):
    settings = {"out": tmp_path / "run", "steps": 1, "device": "cpu", "quiet": True, "batch": 12, "shards": 4}
    with pytest.raises(InputError, match=r"3 ranks cannot share shards=4 equally; start 1, 2, 4 of them"):
        sparring.train("gan", "digits", ranks=3, **settings)
    assert not (tmp_path / "run").exists()
    with pytest.raises(InputError, match="batch=12 cannot be divided among 5 ranks; give a multiple of 5"):
        sparring.train("gan", "digits", ranks=5, **{name: v for name, v in settings.items() if name != "shards"})


def test_a_plain_sum_is_close(tmp_path):
    """It is not in the order of the tree, and the card says so."""
    case, settings = "unpaired-cyclegan", {"shards": 2, "steps": 1, "ranks": 2}
    exact, plain = (
        trained(case, tmp_path / "tree", **settings),
        trained(case, tmp_path / "any", exact=False, **settings),
    )
    weights = [name for name in exact if name.startswith("game.D_A.")]
    for name in weights:
        torch.testing.assert_close(exact[name], plain[name], atol=2e-3, rtol=0)
    cards = [(tmp_path / name / "run" / "README.md").read_text() for name in ("tree", "any")]
    assert "equal on any number of ranks" in cards[0]
    assert "may differ by rounding with the number of ranks" in cards[1]


def test_shards_of_version_0_1_get_what_their_rank_had():
    pools = {f"rank{rank}.pool.past": torch.tensor(rank) for rank in range(2)}
    tensors = {"game.pool.past": torch.tensor(0), **pools}
    assert [int(before_shards(shard, 4, tensors)["pool.past"]) for shard in range(4)] == [0, 0, 1, 1]
    assert before_shards(1, 4, {"game.pool.past": torch.tensor(0)}) == {}  # of a run on one rank


def test_the_loop_refuses_shards_that_ranks_cannot_share():
    with pytest.raises(ValueError, match="2 ranks cannot share 3 shards equally"):
        next(play(torch.nn.Identity(), [], lambda *_: {}, SimpleNamespace(world_size=2), 1, shards=3))


# The tree.


@pytest.mark.parametrize("shards", range(1, 13))
def test_the_tree_is_the_same_however_shards_are_shared(shards):
    """Sums of numbers whose rounding shows the order in which they were added."""
    numbers = torch.randn(shards, 5, generator=torch.Generator().manual_seed(shards)) * 1e3

    def tree(of_ranks: list[range]) -> Tensor:
        whole = Tree(shards)
        for shards_of_rank in of_ranks:
            part = Tree(shards)
            for shard in shards_of_rank:
                part.add(0, shard, [numbers[shard].clone()])
            for node in part.nodes:
                whole.add(*node)
        ((_, place, (total,)),) = whole.nodes
        assert place == 0
        return total

    alone = tree([range(shards)])
    torch.testing.assert_close(alone, numbers.sum(0))
    for ranks in range(1, shards + 1):
        if shards % ranks == 0:
            mine = shards // ranks
            assert torch.equal(alone, tree([range(rank * mine, (rank + 1) * mine) for rank in range(ranks)]))


@given(sizes=st.lists(st.integers(1, 9), max_size=12), size=st.integers(1, 12))
def test_buckets_hold_all_tensors_in_order_and_no_more_than_fit(sizes, size):
    tensors = [torch.full((n,), i) for i, n in enumerate(sizes)]
    found = [tensors[place] for place in buckets(tensors, size)]
    assert [int(t[0]) for bucket in found for t in bucket] == list(range(len(sizes)))
    assert all(len(bucket) == 1 or sum(t.numel() for t in bucket) <= size for bucket in found)
