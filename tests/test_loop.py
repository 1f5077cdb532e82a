"""The loop's promises: who moves, when, how often, and what one gradient step is."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import SGD, Adam
from toys import Noisy, Spies, changed, deal, played, state

from sparring import loop
from sparring.games.gan import GAN
from sparring.games.prior import normal
from sparring.games.terms import GP, R1
from sparring.loop import Losses, Player, Round
from sparring.losses.adversarial import non_saturating
from sparring.nets import mlp
from sparring.seeds import Seeds

# Who moves.


def test_it_equals_a_hand_written_loop() -> None:
    torch.manual_seed(0)
    G, D = mlp.Generator(3, (2,), (8, 8)), mlp.Discriminator((2,), (8,))
    by_hand_G, by_hand_D = copy.deepcopy((G, D))
    game = GAN(G, D, non_saturating(), normal(3))
    latents: list[Tensor] = []
    draw = game.draw
    game.draw = lambda *at: latents.append(draw(*at)) or latents[-1]
    players = [
        Player("D", game.D_losses, SGD(D.parameters(), 0.1), (D,)),
        Player("G", game.G_losses, SGD(G.parameters(), 0.1), (G,)),
    ]
    records = list(played(game, players, 5))

    D_sgd, G_sgd = SGD(by_hand_D.parameters(), 0.1), SGD(by_hand_G.parameters(), 0.1)
    for step, z in enumerate(latents):
        real, fake = deal(step, 0)["values"], by_hand_G(z)
        D_loss = F.softplus(-by_hand_D(real)).mean() + F.softplus(by_hand_D(fake.detach())).mean()
        D_sgd.zero_grad()
        D_loss.backward()
        D_sgd.step()
        G_loss = F.softplus(-by_hand_D(fake)).mean()
        G_sgd.zero_grad()
        G_loss.backward()
        G_sgd.step()
        torch.testing.assert_close(records[step].losses["D"]["adversarial"], D_loss.detach())
        torch.testing.assert_close(records[step].losses["G"]["adversarial"], G_loss.detach())
    assert len(latents) == 5
    torch.testing.assert_close(G.state_dict(), by_hand_G.state_dict())
    torch.testing.assert_close(D.state_dict(), by_hand_D.state_dict())


@pytest.mark.parametrize("mover", [0, 1])
def test_only_the_mover_moves(mover: int) -> None:
    game = Noisy(terms=[R1(1.0), GP(1.0)])
    player, before = game.players()[mover], state(game)
    for _ in played(game, [player], 1):
        moved = changed(before, state(game))
    mine = {name for name in before if name.startswith(f"{player.name}.")}
    # Statistics too; the bias before batch norm has no gradient but rounding.
    assert moved | ({"G.layers.3.bias"} & mine) == mine
    for name, weight in game.named_parameters():
        assert (weight.grad is not None) == (name in mine)


def test_a_turn_leaves_the_other_players_gradients_alone() -> None:
    game, seen = Noisy(), []
    D, G = game.players()
    D.after = lambda _: seen.append([w.grad.clone() for w in D.weights])
    G.after = lambda _: seen.append([w.grad.clone() for w in D.weights])
    list(played(game, [D, G], 1))
    assert all(map(torch.equal, *seen))


def test_what_is_frozen_builds_no_graph() -> None:
    game, seen = Noisy(), []
    D, G = game.players(turns=3)

    def D_losses(round: Round) -> Losses:
        seen.append(("fake", game._fake(round).requires_grad))
        seen.append(("G", any(w.requires_grad for w in G.weights)))
        return game.D_losses(round)

    def G_losses(round: Round) -> Losses:
        seen.append(("D", any(w.requires_grad for w in D.weights)))
        return game.G_losses(round)

    D.losses, G.losses = D_losses, G_losses
    list(played(game, [D, G], 2))
    alone, shared = [("fake", False), ("G", False)], [("fake", True), ("G", False)]  # with G's turn
    assert seen == 2 * [*alone, *alone, *shared, ("D", False)]
    assert game.runs == 2 * [False, False, True]  # G runs with a graph only where G will be taught by it
    assert not any(w.requires_grad for w in game.parameters())


@pytest.mark.parametrize("shards", [1, 2])
def test_batch_norm_follows_its_own_turn_only(shards: int) -> None:
    game = Noisy(terms=[GP(1.0)])
    list(played(game, game.players(turns=5), 3, shards=shards))
    assert (
        game.state_dict()["G.layers.4.num_batches_tracked"] == 3
    )  # every shard begins with the statistics before the move


def test_spectral_norm_follows_its_own_turn_only() -> None:
    game, seen = Noisy(), []
    D, G = game.players()
    D.after = G.after = lambda _: seen.append(state(game.D.layers[0].parametrizations.weight[0]))
    list(played(game, [D, G], 3))
    for after_D, after_G in zip(seen[::2], seen[1::2], strict=True):
        assert not changed(after_D, after_G)
    assert changed(seen[0], seen[2]) == {"_u", "_v"}


def test_a_layer_whose_statistics_cannot_be_kept_is_refused() -> None:
    net = nn.Sequential(nn.Linear(3, 6), nn.Unflatten(1, (2, 3)), nn.InstanceNorm1d(2, track_running_stats=True))
    with pytest.raises(ValueError, match="tracks running statistics"):
        Player("G", dict, SGD(net.parameters()), (net,))


def test_statistics_move_again_when_the_run_is_over() -> None:
    game = Noisy()
    list(played(game, game.players(), 1))
    before = state(game)
    with torch.no_grad():
        game.D(game.values(torch.randn(6, 3)))
    assert len(changed(before, state(game))) == 5  # two of spectral norm, three of batch norm


@pytest.mark.parametrize(
    "bad",
    [
        lambda D, _: Player("D", dict, SGD(D.parameters()), (D,), turns=0),
        lambda D, _: Player("D", dict, SGD(D.parameters()), (D,), every=0),
        lambda D, G: Player("D", dict, SGD([*D.parameters(), *G.parameters()]), (D,)),
    ],
)
def test_an_unusable_player_is_refused(bad: Callable[..., Player]) -> None:
    with pytest.raises(ValueError, match="player D"):
        bad(nn.Linear(2, 2), nn.Linear(2, 1))


# Cadence.


@pytest.mark.parametrize("start", [0, 1, 3])
@pytest.mark.parametrize(
    ("cadences", "moves"),
    [
        ({"D": {}, "G": {}}, ["D0 G0", "D1 G1", "D2 G2", "D3 G3"]),
        ({"G": {}, "D": {}}, ["G0 D0", "G1 D1", "G2 D2", "G3 D3"]),
        ({"D": {"turns": 2}, "G": {}}, ["D0 D1 G1", "D2 D3 G3", "D4 D5 G5", "D6 D7 G7"]),
        ({"G": {}, "D": {"turns": 2}}, ["G0 D0 D1", "G2 D2 D3", "G4 D4 D5", "G6 D6 D7"]),
        ({"D": {}, "R": {"every": 2}, "G": {}}, ["D0 R0 G0", "D1 G1", "D2 R2 G2", "D3 G3"]),
        ({"D": {}, "R": {"every": 3, "turns": 2}}, ["D0 R0 R1", "D2", "D4", "D6 R6 R7"]),
    ],
)
def test_cadence(cadences: dict, moves: list[str], start: int) -> None:
    game = Spies(**cadences)
    records = list(played(game, game.players, 4, start=start))
    assert game.log.split() == " ".join(moves[start:]).split()
    assert [record.number for record in records] == [1, 2, 3, 4][start:]
    assert [set(record.losses) for record in records] == [{m[0] for m in s.split()} for s in moves[start:]]


def test_each_round_is_dealt_once_for_each_shard() -> None:
    game, dealt = Spies(D={"turns": 2}, G={}), []
    list(played(game, game.players, 2, lambda *at: dealt.append(at) or deal(*at), shards=2))
    assert dealt == [(number, shard) for number in range(4) for shard in range(2)]


def test_a_lazy_player_counts_for_the_steps_between() -> None:
    game = Spies(D={}, R={"every": 4})
    records = list(played(game, game.players, 8))
    assert game.at("D") == game.at("R") == [-8] * 4
    assert records[4].losses["R"]["sum"] == -16  # recorded as it is, 4 weights of -4


def test_players_may_share_an_optimizer() -> None:
    torch.manual_seed(0)
    net = nn.Linear(2, 1)
    twin = copy.deepcopy(net)
    square, fourth = (lambda net: net.weight.square().sum()), (lambda net: net.weight.pow(4).sum())
    adam = Adam(net.parameters(), lr=0.1)
    players = [
        Player("D", lambda _: {"square": square(net)}, adam, (net,)),
        Player("D_reg", lambda _: {"fourth": fourth(net)}, adam, (net,), every=2),
    ]
    list(played(net, players, 3))
    by_hand = Adam(twin.parameters(), lr=0.1)
    for term in [square, lambda net: 2 * fourth(net), square, square, lambda net: 2 * fourth(net)]:
        by_hand.zero_grad()
        term(twin).backward()
        by_hand.step()
    assert torch.equal(net.weight, twin.weight)


# One gradient step.


@pytest.mark.parametrize("clip", [None, 0.5, 100.0])
def test_micro_batches_are_one_batch(clip: float | None) -> None:
    batches = torch.randn(5, 12, 2, generator=torch.Generator().manual_seed(1))
    ends = []
    for shards in (1, 3):
        torch.manual_seed(0)
        D = mlp.Discriminator((2,), (8, 8))
        game = GAN(nn.Identity(), D, non_saturating(), normal(2), terms=[R1(1.0)])
        game._fake = lambda round: round["values"] ** 2  # no latents
        player = Player("D", game.D_losses, Adam(D.parameters(), 0.01), (D,), clip=clip)
        parts = batches.unflatten(1, (shards, -1))
        records = list(played(game, [player], 5, partial(part_of, parts), shards=shards))
        ends.append((state(D), records[-1].losses, records[-1].observed))
    torch.testing.assert_close(*ends)


def part_of(parts: Tensor, number: int, shard: int) -> dict[str, Tensor]:
    return {"values": parts[number, shard]}


def test_clip_bounds_the_gradient() -> None:
    game = Spies(D={"clip": 1.0}, G={"clip": 3.0})  # a gradient of norm 2
    list(played(game, game.players, 1))
    assert game.at("D") == pytest.approx([-0.5] * 4, rel=1e-5)
    assert game.at("G") == [-1.0] * 4


def test_after_projects_the_weights_and_gets_the_averaged_observations() -> None:
    game, seen = Spies(D={}), []
    D = game.players[0]
    D.after = lambda observed: (seen.append(observed["mean"]), D.weights[0].clamp_(-0.01, 0.01))
    (record,) = played(game, [D], 1, shards=2)
    assert game.at("D") == pytest.approx([-0.01] * 4)
    mean = torch.stack([deal(0, shard)["values"].mean() for shard in range(2)]).mean()
    torch.testing.assert_close(seen[0], mean)
    assert record.observed["mean"] == seen[0]


@pytest.mark.parametrize("lr", [float, torch.tensor])
def test_a_schedule_reaches_the_optimizer(lr: Callable[[float], float | Tensor]) -> None:
    game = Spies(D={"lr": lr(1.0), "schedule": lambda progress: {"lr": 1 - progress}})
    at = [game.at("D")[0] for _ in played(game, game.players, 4)]
    assert at == [-1, -1.75, -2.25, -2.5]
    list(played(game, game.players, 6, start=4, progress=lambda step: (step - 4) / 2))  # another phase
    assert game.at("D")[0] == -4
    assert type(game.players[0].optimizer.param_groups[0]["lr"]) is type(lr(1.0))


def test_another_gradient_estimator():
    """A player's own estimator decides its gradient, and nobody else's."""
    spies = Spies(D={}, G={})

    def doubled(turn, round, share, fabric):
        records = loop.backpropagate(turn, round, share, fabric)
        for weight in turn.player.weights:
            weight.grad.mul_(2)
        return records

    spies.players[0].gradient = doubled
    list(played(spies, spies.players, 1))
    assert spies.at("D") == [-2.0] * 4
    assert spies.at("G") == [-1.0] * 4


def test_the_step_of_the_docs_is_a_step_of_the_loop():
    """docs/loop.md writes one step out; it must move weights as `play` does."""
    text = (Path(__file__).parents[1] / "docs" / "loop.md").read_text()
    code: dict[str, Any] = {}
    exec(text.split("```python\n")[1].split("```")[0], code)
    torch.manual_seed(0)
    game = GAN(mlp.Generator(3, (2,), (8, 8)), mlp.Discriminator((2,), (8,)), non_saturating(), normal(3))
    G, D = copy.deepcopy((game.G, game.D))
    G.z = 3
    optimizers = [SGD(net.parameters(), 0.1) for net in (G, D)]
    sgd = partial(SGD, lr=0.1)
    seeds = Seeds(5)
    for step, record in enumerate(played(game, game.players(sgd, sgd), 3, seeds=seeds)):
        losses = code["adversarial_step"](G, D, *optimizers, deal(step, 0)["values"], step, seeds)
        for player, loss in losses.items():
            torch.testing.assert_close(record.losses[player]["adversarial"], loss)
    for mine, theirs in zip(
        (*G.parameters(), *D.parameters()), (*game.G.parameters(), *game.D.parameters()), strict=True
    ):
        torch.testing.assert_close(mine, theirs)


def test_a_loop_of_ones_own_learns(capsys):
    """The whole loop of docs/loop.md."""
    text = (Path(__file__).parents[1] / "docs" / "loop.md").read_text()
    (whole,) = [block for block in re.findall(r"^```python\n(.*?)^```", text, re.M | re.S) if "real = " in block]
    names = {}
    exec(whole, names)
    assert len(capsys.readouterr().out.splitlines()) == 3
    narrow, wide = names["samples"].std(0).tolist()
    assert 2 * narrow < wide
