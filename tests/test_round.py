"""The round's promises: what is computed how often, for whom, and from which randomness."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from itertools import islice

import pytest
import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam
from toys import Noisy, Spies, changed, played, state

from sparring import loop
from sparring.games.terms import GP, R1, Dragan, Term
from sparring.loop import Losses, Player, Round
from sparring.seeds import Seeds

# What is computed once.


@pytest.mark.parametrize(("turns", "shards", "runs"), [(1, 1, 1), (5, 1, 5), (1, 2, 4)])
def test_fakes_are_shared_between_players(turns: int, shards: int, runs: int) -> None:
    game = Noisy()
    list(played(game, game.players(turns=turns), 3, shards=shards))
    assert len(game.runs) == 3 * runs


def regularised(game: Noisy) -> list[Player]:
    D, G = game.players(turns=2)

    def losses(round: Round) -> Losses:
        return {"size": game._fake(round).square().mean()}

    return [D, G, Player("G_reg", losses, G.optimizer, G.nets, every=2)]


class Styled(Noisy):
    """Fakes are made from styles, and both are shared."""

    def __init__(self, nested: bool) -> None:
        super().__init__()
        self.style, self.nested = nn.Linear(3, 3), nested

    def _fake(self, round: Round) -> Tensor:
        z = round.once("z", lambda: self.draw(round.size, round.device))

        def style() -> Tensor:
            return round.once("style", lambda: self.style(z), self.style)

        if self.nested:
            return round.once("fake", lambda: self.values(style(), None), self.style, self.G)
        w = style()
        return round.once("fake", lambda: self.values(w, None), self.style, self.G)

    def players(self, **D) -> list[Player]:
        nets = (self.style, self.G)
        G = Player("G", self.G_losses, Adam([p for n in nets for p in n.parameters()], 0.01), nets)
        return [super().players(**D)[0], G]


@pytest.mark.parametrize(
    ("build", "players"),
    [
        pytest.param(Noisy, Noisy.players, id="G"),
        pytest.param(Noisy, regularised, id="G, G_reg"),
        pytest.param(
            partial(Styled, nested=True),
            Styled.players,
            id="fakes of shared styles, asked for inside",
        ),
        pytest.param(
            partial(Styled, nested=False),
            Styled.players,
            id="fakes of shared styles, asked for before",
        ),
    ],
)
def test_sharing_changes_nothing(
    build: Callable[[], Noisy], players: Callable[..., list[Player]], monkeypatch: pytest.MonkeyPatch
) -> None:
    shared, unshared = build(), build()
    list(played(shared, players(shared), 4))
    monkeypatch.setattr(loop, "_sharers", lambda *_: [])
    list(played(unshared, players(unshared), 4))
    assert len(shared.runs) < len(unshared.runs)
    assert not changed(state(shared), state(unshared))


def test_a_second_mover_of_a_net_computes_anew() -> None:
    game, seen = Noisy(), []
    D, G, G_reg = regularised(game)
    G.after = lambda _: seen.append(state(game.G))
    list(played(game, [D, G, G_reg], 1))
    assert game.runs == [False, True, True]
    assert changed(seen[0], state(game.G))  # G_reg's own graph was alive, and reached G's weights


def test_a_value_of_a_part_of_a_net_teaches_it() -> None:
    game = Noisy()
    z = torch.randn(6, 3)

    def losses(round: Round) -> Losses:
        return {"mean": round.once("x", lambda: game.G.layers(z), game.G.layers).mean()}

    list(played(game, [Player("G", losses, SGD(game.G.parameters(), 0.1), (game.G,))], 1))


def test_players_may_share_a_net() -> None:
    trunk, head, other = nn.Linear(2, 2), nn.Linear(2, 1), nn.Linear(2, 1)

    def losses(round: Round) -> Losses:
        before = head(trunk(round["values"])).mean()
        round.once("other", lambda: other(round["values"]), other)
        return {"before": before, "after": head(trunk(round["values"])).mean()}

    both = [*trunk.parameters(), *head.parameters()]
    first = Player("first", losses, SGD(both, 0.1), (trunk, head))
    second = Player("second", losses, SGD([*both, *other.parameters()], 0.1), (trunk, head, other))
    ends = []
    first.after = lambda _: ends.append([w.grad.clone() for w in first.weights])
    for players in ([first], [first, second]):
        with torch.no_grad():
            for weight in second.weights:
                weight.fill_(0.5)
        list(played(nn.ModuleList([trunk, head, other]), players, 1))
    torch.testing.assert_close(*ends)


# Randomness and precision.


def end(watch: Callable[[Noisy], object] = lambda _: None, reverse: bool = False, **settings) -> dict:
    game = Noisy(terms=[GP(1.0)])
    players = game.players(turns=2)
    for _ in played(game, players[::-1] if reverse else players, 4, **settings):
        watch(game)
    return state(game)


def test_a_run_is_a_function_of_its_seeds() -> None:
    run = end(seeds=Seeds(1, 2))
    assert not changed(run, end(seeds=Seeds(1, 2)))
    assert changed(run, end(seeds=Seeds(2, 2)))
    assert changed(run, end(seeds=Seeds(1, 3)))


def test_no_two_draws_are_alike() -> None:
    game, draws = Spies(D={"turns": 2}, G={}), {}

    def watched(name: str, losses: Callable[[Round], Losses]) -> Callable[[Round], Losses]:
        def drawing(round: Round) -> Losses:
            own = [torch.rand(()), round.once("a", lambda: torch.rand(())), torch.rand(())]
            own += [round.once("b", lambda: torch.rand(())), torch.rand(())]
            for i, value in enumerate(own):
                place = (i,) if i % 2 else (name, i)  # what is drawn once is one for D and G
                draws.setdefault((*place, *round._place), set()).add(value.item())
            return losses(round)

        return drawing

    for player in game.players:
        player.losses = watched(player.name, player.losses)
    list(played(game, game.players, 2, shards=2))
    assert all(len(values) == 1 for values in draws.values())
    assert len(set.union(*draws.values())) == len(draws) == 8 * 2 + (8 + 4) * 3


def preview(game: Noisy) -> None:
    game.eval()
    with torch.no_grad():
        game.D(game.values(torch.randn(5, 3), None))
    game.train()


@pytest.mark.parametrize(
    ("watch", "reverse"),
    [
        (lambda _: torch.manual_seed(7), False),
        (lambda _: torch.randn(5), False),
        (preview, False),
        (preview, True),
    ],
)
def test_who_watches_changes_nothing(watch: Callable[[Noisy], object], reverse: bool) -> None:
    assert not changed(end(watch, reverse), end(reverse=reverse))


def test_a_resumed_run_goes_on_bit_for_bit() -> None:
    def load(game: Noisy, players: list[Player], saved: list[dict]) -> None:
        for part, old in zip([game, *[p.optimizer for p in players]], copy.deepcopy(saved), strict=True):
            part.load_state_dict(old)

    first, second = Noisy(terms=[R1(1.0)]), Noisy(terms=[R1(1.0)])
    players, again = first.players(turns=2), second.players(turns=2)
    run = played(first, players, 4)
    list(islice(run, 2))
    load(second, again, [first.state_dict(), *[p.optimizer.state_dict() for p in players]])
    list(played(second, again, 4, start=2))
    list(run)
    assert not changed(state(first), state(second))


@pytest.mark.parametrize(
    "term",
    [
        R1(1.0),
        GP(1.0),
        Dragan(1.0),
    ],
    ids=lambda term: term.name,
)
def test_bf16(term: Term) -> None:
    game = Noisy(terms=[term])
    before, dtypes = state(game), set()
    game.D.layers[-1].register_forward_hook(lambda _, __, logits: dtypes.add(logits.dtype))
    for record in played(game, game.players(), 2, precision="bf16-mixed"):
        assert all(loss.isfinite() for terms in record.losses.values() for loss in terms.values())
    assert dtypes == {torch.bfloat16}
    assert all(tensor.isfinite().all() for tensor in game.state_dict().values())
    assert set(before) - changed(before, state(game)) <= {"G.layers.3.bias"}  # before batch norm
