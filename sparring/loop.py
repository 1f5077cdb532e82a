"""The adversarial loop: players take turns on shared rounds. Nothing else happens here.

`play` is a generator. It yields a record of every step; the caller averages weights, logs, saves, judges and stops. The
loop keeps no state of its own: everything that lasts is in the game's buffers and the optimizers, and every random
number is a function of its position. A run that is stopped at a step and resumed there ends bit for bit the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from sparring.layers.statistics import (
    layers_with_statistics,
    normalizes_spectrum,
    set_updates,
    updates_statistics,
)
from sparring.seeds import Seeds, reseed
from sparring.shards import ShardBuffers, Tree

if TYPE_CHECKING:
    from lightning_fabric import Fabric


Losses = dict[str, Tensor]  # named, already weighted terms; a player minimizes their sum
Value = TypeVar("Value", Tensor, tuple[Tensor, ...])
After = Callable[[Mapping[str, Tensor]], None]
Deal = Callable[[int, int], Mapping[str, Tensor]]  # (number, shard) -> the real tensors of a round
# (turn, round, share, fabric) -> (losses, observations), times the share that the round, one of the turn's shards, has
# in the batch. Leaves the gradient of the player's losses times this share in the player's weights.
GradientEstimator = Callable[["Turn", "Round", float, "Fabric"], tuple[Losses, Losses]]

Sharing = Literal["all", "plain nets", "nothing"]
Stream = tuple[str, int]  # a random stream's name, and how often it was interrupted
State = tuple[Sequence[ShardBuffers], int]  # and the place of the shard among those of the rank


@dataclass(eq=False)
class Player:
    """One side of the game: what it minimizes, and the optimizer of the weights it may move.

    Attributes:
        name: the player's name in logs and checkpoints.
        losses: the named terms for a round; their sum is minimized.
        optimizer: holds the weights; two players may share one, as StyleGAN2's D and D_reg do.
        nets: the nets that those weights belong to. Their running statistics (batch norm, spectral norm) change only in
            this player's turns.
        turns: moves per step, such as 5 for the critic of WGAN-GP; each further turn draws a new round.
        every: steps per move, such as 16 for StyleGAN2's lazy R1; the losses are then multiplied by it.
        clip: largest norm of the gradient over all weights, or None.
        schedule: settings of the optimizer's groups (``lr``, ``betas``) at a progress in [0, 1].
        after: called after the weights have moved, with the observations averaged over shards: WGAN's weight clipping,
            ADA's probability.
        gradient: how the gradient is computed. The default sums the terms and backpropagates; a differentially private
            one differs.
    """

    name: str
    losses: Callable[[Round], Losses]
    optimizer: Optimizer
    nets: tuple[nn.Module, ...]
    turns: int = 1
    every: int = 1
    clip: float | None = None
    schedule: Callable[[float], Mapping[str, object]] | None = None
    after: After | None = None
    gradient: GradientEstimator | None = None
    weights: list[nn.Parameter] = field(init=False)
    layers: list[nn.Module] = field(init=False)
    _parts: set[int] = field(init=False)

    def __post_init__(self) -> None:
        if self.turns < 1 or self.every < 1:
            raise ValueError(f"player {self.name}: turns and every must be at least 1")
        self.weights = [p for group in self.optimizer.param_groups for p in group["params"]]
        self.layers = [layer for net in self.nets for layer in layers_with_statistics(net)]
        self._parts = {id(part) for net in self.nets for part in net.modules()}
        owned = {id(p) for net in self.nets for p in net.parameters()}
        if not all(id(p) in owned for p in self.weights):
            raise ValueError(f"player {self.name}: its optimizer holds weights outside its nets")

    def moves(self, net: nn.Module) -> bool:
        """True if a net, or a part of one, belongs to this player."""
        return id(net) in self._parts

    @contextmanager
    def acting(self) -> Iterator[None]:
        """While active, this player's weights require gradients and its nets update their statistics."""
        weights = [w for w in self.weights if not w.requires_grad]
        layers = [layer for layer in self.layers if not updates_statistics(layer)]
        _free(weights, layers, True)
        try:
            yield
        finally:
            _free(weights, layers, False)


def _free(weights: Sequence[nn.Parameter], layers: Sequence[nn.Module], free: bool) -> None:
    for weight in weights:
        weight.requires_grad_(free)
    for layer in layers:
        set_updates(layer, free)


class Round:
    """What the players of one step share.

    It has named real tensors (values, masks, lengths, conditions), and whatever has been computed from them, computed
    once: latents, fakes, features.

    Attributes:
        tensors: the real tensors by name; ``round["values"]`` is short for ``round.tensors["values"]``.
        progress: fraction of the run that has been played, a 0-d tensor in [0, 1].
        observed: scalars that the current player reports, by name.
        state: modules with buffers of its shard.
    """

    def __init__(
        self,
        tensors: Mapping[str, Tensor],
        progress: Tensor,
        seeds: Seeds,
        place: tuple[int, ...],
        state: State = ((), 0),
    ) -> None:
        self.tensors = tensors
        self.state = state
        self.progress = progress
        self.observed: dict[str, Tensor] = {}
        self._seeds, self._place = seeds, place
        self._movers: tuple[Player, ...] = ()  # the player that moves now, then those that will move in this round
        self._values: dict[str, Any] = {}  # a Value each
        self._owners: dict[str, Player] = {}  # the player in whose turn a value's graph will be used
        self._stream: Stream = ("", 0)  # the current one

    def __getitem__(self, name: str) -> Tensor:
        return self.tensors[name]

    def get(self, name: str) -> Tensor | None:
        return self.tensors.get(name)

    @property
    def size(self) -> int:
        return len(next(iter(self.tensors.values())))

    @property
    def device(self) -> torch.device:
        return self.progress.device

    def once(self, name: str, compute: Callable[[], Value], *nets: nn.Module) -> Value:
        """A value computed at most once in this round, with a random stream of its own.

        Its graph is kept for the first player, of the current one and those to come, that moves one of `nets`: where D
        judges fakes that G learns from next, G runs once. After that player has moved, the graph is freed, and
        another player of the nets computes the value again.
        """
        movers = [p for p in self._movers if any(p.moves(net) for net in nets)]
        owner = movers[0] if movers else None
        spent = owner is self._movers[0] and self._owners.get(name) is not owner
        if name not in self._values or spent:
            outer, self._stream = self._stream, (f"once {name}", 0)
            self.reseed(self._stream)
            with owner.acting() if owner else torch.no_grad():
                self._values[name] = compute()
            if owner:
                self._owners[name] = owner
            self._stream = outer
        self._stream = (self._stream[0], self._stream[1] + 1)
        self.reseed(self._stream)
        value: Value = self._values[name]
        return value

    def observe(self, **values: Tensor) -> None:
        """Report scalars; they are averaged over shards."""
        self.observed.update((name, value.detach().float()) for name, value in values.items())

    def begin(self, mover: Player, later: Sequence[Player]) -> None:
        """Start a turn: `mover` moves now, and `later` will move in this round after it."""
        self._movers, self.observed = (mover, *later), {}
        for module in self.state[0]:
            module.use(self.state[1])
        self._stream = (f"turn {mover.name}", 0)
        self.reseed(self._stream)

    def end(self) -> None:
        """End a turn: graphs through the player's nets have been freed."""
        mover = self._movers[0]
        for name in [n for n, owner in self._owners.items() if owner is mover]:
            self._values[name] = _detached(self._values[name])
            del self._owners[name]

    def part(self, tensors: Mapping[str, Tensor], computed: Mapping[str, Tensor], index: int = 0) -> Round:
        """A round of other samples, such as some of these, in the same turn.

        Args:
            tensors: their tensors.
            computed: what has been computed for them already, by the names that `once` knows it by.
            index: parts of different indices draw different random numbers.
        """
        part = Round(tensors, self.progress, self._seeds, (*self._place, index) if index else self._place, self.state)
        part._values.update(computed)
        part.begin(self._movers[0], ())
        return part

    def key(self, stream: Stream) -> int:
        """The seed of a random stream of this round."""
        return self._seeds.key(*stream, *self._place)

    def reseed(self, stream: Stream) -> None:
        """Begin a random stream: what is drawn next is a function of its name and of this round's position."""
        reseed(self.key(stream), self.device)


def _detached(value: Value) -> Value:
    return value.detach() if isinstance(value, Tensor) else tuple(v.detach() for v in value)


@dataclass(frozen=True)
class Turn:
    """A move that is due.

    Attributes:
        player: that moves.
        rounds: one for each shard of this rank.
        later: players that will move in the same rounds after it, and may use what has been computed in them.
        exact: sums over shards do not depend on the number of ranks.
    """

    player: Player
    rounds: Sequence[Round]
    later: Sequence[Player]
    exact: bool = True


@dataclass(frozen=True)
class Step:
    """The record of one step: 0-d tensors on the device, averaged over shards.

    Attributes:
        number: number of steps played, including this one.
        losses: the terms of each player that moved, by player and name.
        observed: scalars that players reported, by name.
    """

    number: int
    losses: dict[str, Losses]
    observed: Losses


# Takes the turns of a step: the losses of each player by name, and the observations.
Take = Callable[[Iterable[Turn], "Fabric"], tuple[dict[str, Losses], Losses]]


def take_turns(turns: Iterable[Turn], fabric: Fabric) -> tuple[dict[str, Losses], Losses]:
    """The moves of a step, one after the other."""
    losses: dict[str, Losses] = {}
    observed: Losses = {}
    for turn in turns:
        losses[turn.player.name], seen = move(turn, fabric)
        observed.update(seen)
    return losses, observed


def move(turn: Turn, fabric: Fabric) -> tuple[Losses, Losses]:
    """One gradient step of one player over the shards of a batch, with all other weights frozen.

    Returns:
        Losses and observations. The gradients remain in the weights until the player moves again.
    """
    losses, observed = find_gradient(turn, fabric)
    update(turn.player, observed)
    return losses, observed


def find_gradient(turn: Turn, fabric: Fabric) -> tuple[Losses, Losses]:
    """The first half of a move: the gradient of the player's losses, averaged and clipped, in its weights."""
    player = turn.player
    player.optimizer.zero_grad()
    with player.acting():
        if len(turn.rounds) * fabric.world_size == 1:
            losses, observed = (player.gradient or backpropagate)(turn, turn.rounds[0], 1.0, fabric)
        else:
            losses, observed = _over_shards(turn, fabric)
    if player.clip is not None:
        nn.utils.clip_grad_norm_(player.weights, player.clip)
    return losses, observed


def update(player: Player, observed: Mapping[str, Tensor]) -> None:
    """The second half of a move: the weights move by their gradients."""
    player.optimizer.step()
    if player.after is not None:
        with torch.no_grad():
            player.after(observed)


def backpropagate(turn: Turn, round: Round, share: float, fabric: Fabric) -> tuple[Losses, Losses]:
    """The plain gradient estimator: the gradient of the summed terms."""
    player = turn.player
    round.begin(player, turn.later)
    with fabric.autocast():
        terms = player.losses(round)
    total = torch.stack([term.float() for term in terms.values()]).sum()
    torch.autograd.backward(total * (player.every * share), inputs=player.weights)
    round.end()
    losses = {name: term.detach().float() * share for name, term in terms.items()}
    return losses, {name: value * share for name, value in round.observed.items()}


def _over_shards(turn: Turn, fabric: Fabric) -> tuple[Losses, Losses]:
    """Gradients, losses and observations, and running statistics: their means over the shards of all ranks. In each
    shard, statistics begin as they were before the move.
    """
    player, mine = turn.player, len(turn.rounds)
    shards = mine * fabric.world_size
    tree = Tree(shards)
    buffers = [b for layer in player.layers for b in layer.buffers()]
    averaged = [b for b in buffers if b.is_floating_point()]
    before = [b.clone() for b in buffers] if mine > 1 else buffers
    losses: Losses = {}
    observed: Losses = {}
    for i, round in enumerate(turn.rounds):
        if i:
            player.optimizer.zero_grad()
            for buffer, old in zip(buffers, before, strict=True):
                buffer.copy_(old)
        losses, observed = (player.gradient or backpropagate)(turn, round, 1 / shards, fabric)
        # Shards run the same code, so a weight that this turn does not teach has no gradient in any.
        gradients = [p.grad for p in player.weights if p.grad is not None]
        records = [*losses.values(), *observed.values()]
        tree.add(0, fabric.global_rank * mine + i, [*gradients, *(b / shards for b in averaged), *records])
    sums = iter(tree.total(fabric, turn.exact))
    for weight in player.weights:
        if weight.grad is not None:
            weight.grad = next(sums)
    for buffer in averaged:
        buffer.copy_(next(sums))
    return {name: next(sums) for name in losses}, {name: next(sums) for name in observed}


def _moves(players: Sequence[Player], step: int) -> list[tuple[Player, bool]]:
    """The moves of a step in order, and whether each draws a new round."""
    acting = [p for p in players if step % p.every == 0]
    turns = [(p, turn > 0) for p in acting for turn in range(p.turns)]
    return [(p, new or i == 0) for i, (p, new) in enumerate(turns)]


def play(
    game: nn.Module,
    players: Sequence[Player],
    deal: Deal,
    fabric: Fabric,
    steps: int,
    *,
    start: int = 0,
    progress: Callable[[int], float] | None = None,
    seeds: Seeds = Seeds(),
    shards: int | None = None,
    exact: bool = True,
    take: Take = take_turns,
) -> Iterator[Step]:
    """Play the game from step `start` to step `steps`, yielding after each.

    Args:
        game: holds every net and everything that lasts. All weights but those of the moving player are frozen.
        players: in the order of their moves.
        deal: (number of the round, shard) -> the real tensors of a round, on the fabric's device; random generators are
            seeded before it is called.
        fabric: precision and collectives.
        steps: where this part of the run ends; schedules stretch to it unless `progress` is given.
        start: number of steps that have been played already.
        progress: the progress, in [0, 1], at which a step is played.
        seeds: give each random operation its own seed.
        shards: parts of a batch, each of which is played on its own. Every rank plays an equal number of them, one if
            this is None. If a rank plays several, no fakes are shared between players, since that would keep the graphs
            of all of them.
        exact: the end of the run does not depend on how many ranks play its shards. Otherwise it may, by rounding.
        take: takes the turns of a step.

    Raises:
        ValueError: if ranks cannot share the shards equally.
    """
    if shards is not None and shards % fabric.world_size:
        raise ValueError(f"{fabric.world_size} ranks cannot share {shards} shards equally")
    drawn = 1 + sum(p.turns - 1 for p in players)  # rounds per step, at most
    mine = (shards or fabric.world_size) // fabric.world_size
    own = [module for module in game.modules() if isinstance(module, ShardBuffers)]
    for module in own:
        module.split(mine)
    places = {fabric.global_rank * mine + i: (own, i) for i in range(mine)}
    sharing = _sharing((mine, mine * fabric.world_size), exact, fabric)
    turns = partial(_turns, players, drawn=drawn, sharing=sharing, exact=exact)
    weights, layers = list(game.parameters()), layers_with_statistics(game)
    try:
        for step in range(start, steps):
            # At every step, since the caller may have changed the game's mode.
            _free(weights, layers, False)
            played = step / steps if progress is None else progress(step)
            for player in players:
                if player.schedule is not None:
                    _set(player.optimizer, player.schedule(played))
            on_device = torch.full((), played, device=fabric.device)
            deals = partial(_dealt, deal, places, on_device, seeds)
            yield Step(step + 1, *take(turns(step, deal=deals), fabric))
    finally:
        _free([], layers, True)


def _sharers(moves: Sequence[tuple[Player, bool]], i: int, sharing: Sharing) -> Sequence[Player]:
    """The players that move in the same round after move i and may use what has been computed in it."""
    later = [player for player, _ in takewhile(lambda move: not move[1], moves[i + 1 :])]
    apart = sharing == "plain nets" and any(normalizes_spectrum(net) for player in later for net in player.nets)
    return () if sharing == "nothing" or apart else later


def _sharing(shards: tuple[int, int], exact: bool, fabric: Fabric) -> Sharing:
    """What players share. Sharing changes two things besides the time: it improves the estimate of a spectral norm
    before the other player's turn, and gradients of 16-bit copies of a weight are not added in 16 bits. Therefore the
    end of a run would depend on which ranks share.

    Args:
        shards: of this rank, and of all.
    """
    mine, total = shards
    with fabric.autocast():
        mixed = torch.is_autocast_enabled(fabric.device.type)
    if mine > 1 or (total > 1 and exact and mixed):
        return "nothing"
    return "plain nets" if total > 1 and exact else "all"


def _turns(
    players: Sequence[Player],
    step: int,
    drawn: int,
    sharing: Sharing,
    exact: bool,
    deal: Callable[[int], Sequence[Round]],
) -> Iterator[Turn]:
    """The turns of a step in order; rounds are dealt when they are needed."""
    number = step * drawn
    rounds: Sequence[Round] = ()
    moves = _moves(players, step)
    for i, (player, new) in enumerate(moves):
        if new:
            rounds = deal(number)
            number += 1
        yield Turn(player, rounds, _sharers(moves, i, sharing), exact)


def _dealt(deal: Deal, shards: Mapping[int, State], progress: Tensor, seeds: Seeds, number: int) -> list[Round]:
    rounds = []
    for shard, state in shards.items():
        reseed(seeds.key("deal", number, shard), progress.device)
        rounds.append(Round(deal(number, shard), progress, seeds, (number, shard), state))
    return rounds


def _set(optimizer: Optimizer, settings: Mapping[str, object]) -> None:
    for group in optimizer.param_groups:
        for name, value in settings.items():
            if isinstance(group[name], Tensor):
                group[name].fill_(value)
            else:
                group[name] = value
