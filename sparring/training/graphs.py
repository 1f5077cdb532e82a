"""Steps as CUDA graphs.

Small nets are bound by the launches of their kernels, not by their arithmetic. A CUDA graph launches all kernels of
half a move, its gradient or its update, in one call. The result is that of the plain step: the same kernels run on the
same numbers, in the same order.

Steps of one layout (the same moves on tensors of the same shapes) share a `Recording`. It plays the first ones plainly,
on tensors that stay where they are, and then records them. In each further step the batch is copied to those tensors,
every random generator of the graph gets the seed of its position, and the graphs are replayed.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor
from torch.optim import Optimizer

from sparring.loop import Losses, Player, Round, State, Stream, Take, Turn, find_gradient, take_turns, update
from sparring.recipes.base import Recipe
from sparring.seeds import Seeds, reseed

if TYPE_CHECKING:
    from lightning_fabric import Fabric


WARM_UP = 2  # plain steps of a layout, in which libraries and optimizers allocate what they keep
MAX_LAYOUTS = (
    16  # of the steps of a run; a recipe has one for each combination of players, with and without held-out items
)

Draw = tuple[int, Stream]  # index of a round in the step, and its random stream
Begin = Callable[[Draw], None]  # begins a random stream


class Pool(NamedTuple):
    """Memory that graphs share, and the stream on which all of them are captured, as sharing requires."""

    handle: Any
    stream: torch.cuda.Stream


def taker(recipe: Recipe[Any], fabric: Fabric, say: Callable[[str], None]) -> Take:
    """How the turns of a run are taken: as CUDA graphs where that is possible.

    Args:
        say: tells the user why steps on a CUDA device are not recorded.
    """
    if fabric.device.type != "cuda":
        return take_turns
    if recipe.own_file or recipe.recompute or fabric.world_size > 1:
        # A user's own code may depend on numbers outside of tensors, which a recorded step would never see again.
        # The state of random generators, with which activations are recomputed, cannot be read during a recording.
        ranks = f"it has {fabric.world_size} ranks"
        why = "the recipe is your own file" if recipe.own_file else "recompute=true" if recipe.recompute else ranks
        say(f"the run does not use CUDA graphs: {why}")
        return take_turns
    return Graphs(say)


class Graphs:
    """Takes the turns of steps, and records each layout of steps after a few of them.

    Args:
        say: tells the user why steps are not recorded, once.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._recordings: dict[Hashable, Recording] = {}
        self._pools: tuple[Pool, Pool] | None = None
        self.refused = ""  # why steps are not recorded

    def __call__(self, turns: Iterable[Turn], fabric: Fabric) -> tuple[dict[str, Losses], Losses]:
        if self.refused:
            return take_turns(turns, fabric)
        turns = list(turns)
        layout = _layout(turns)
        if layout not in self._recordings:
            if len(self._recordings) == MAX_LAYOUTS:
                self._refuse("its batches have too many shapes")
                return take_turns(turns, fabric)
            self._recordings[layout] = Recording(turns, fabric)
        recording = self._recordings[layout]
        if recording.played == WARM_UP and not recording.record(self._memory(fabric.device)):
            self._refuse(recording.refused)
            return take_turns(turns, fabric)
        with waits(recording.played == WARM_UP - 1) as found:
            taken = recording.take(turns)
        if found:
            self._refuse(found[0])
        elif recording.refused:
            self._refuse(recording.refused)
        return taken

    def _memory(self, device: torch.device) -> tuple[Pool, Pool]:
        """The memory of gradients and that of updates. What a gradient leaves for the next one must not be overwritten
        by an update between them that was recorded later.
        """
        if self._pools is None:
            stream: torch.cuda.Stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
            self._pools = Pool(torch.cuda.graph_pool_handle(), stream), Pool(torch.cuda.graph_pool_handle(), stream)
        return self._pools

    def _refuse(self, why: str) -> None:
        self.refused = why
        self._recordings.clear()
        self._say(f"the run does not use CUDA graphs: {why}")


def _rounds(turns: Sequence[Turn]) -> list[Round]:
    """The rounds of a step."""
    return list(dict.fromkeys(round for turn in turns for round in turn.rounds))


def _layout(turns: Sequence[Turn]) -> Hashable:
    """What must be equal for two steps to run the same kernels on tensors of the same sizes."""
    rounds = _rounds(turns)
    shapes = tuple((name, t.shape, t.dtype) for round in rounds for name, t in round.tensors.items())
    moves = [(turn.player, *turn.later, *(rounds.index(round) for round in turn.rounds)) for turn in turns]
    return tuple(moves), len(rounds), shapes


@dataclass(frozen=True)
class Gradient:
    """What the first half of a move leaves: losses, observations, and the gradients of the player's weights."""

    losses: Losses
    observed: Losses
    weights: list[Tensor | None]


class Plain:
    """A function that runs anew each time. It notes the random streams that it begins."""

    def __init__(self, function: Callable[[Begin], Any], device: torch.device) -> None:
        self.function, self.device = function, device
        self.draws: list[Draw] = []

    def __call__(self, seed: Callable[[Draw], int]) -> Any:
        self.draws = []

        def begin(draw: Draw) -> None:
            self.draws.append(draw)
            reseed(seed(draw), self.device)

        return self.function(begin)


class Captured:
    """A function as a CUDA graph. Its results are always the same tensors.

    Args:
        plain: the function, which has been run before.
        pool: memory that the graph shares with others.

    Raises:
        RuntimeError: if the function waits for the device, or begins other random streams than before.
    """

    def __init__(self, plain: Plain, pool: Pool) -> None:
        self.graph, device = torch.cuda.CUDAGraph(), plain.device
        self.draws = [(draw, torch.Generator(device)) for draw in plain.draws]
        for _, generator in self.draws:
            self.graph.register_generator_state(generator)
        due = iter(self.draws)
        drawn_from = torch.cuda.default_generators[device.index]

        def begin(draw: Draw) -> None:
            expected, generator = next(due, (None, drawn_from))
            if draw != expected:
                raise RuntimeError(f"its random draws differ from step to step ({expected}, {draw})")
            drawn_from.graphsafe_set_state(generator)

        before = drawn_from.graphsafe_get_state()
        # A capture that fails leaves the generator that it began with unusable, and its stream as the current one.
        drawn_from.graphsafe_set_state(torch.Generator(device))
        try:
            with (
                torch.cuda.stream(torch.cuda.current_stream(device)),
                # Other threads may go on reading data into pinned memory.
                torch.cuda.graph(self.graph, pool.handle, pool.stream, capture_error_mode="thread_local"),
            ):
                self.result = plain.function(begin)
        finally:
            drawn_from.graphsafe_set_state(before)
        self._new = True

    def __call__(self, seed: Callable[[Draw], int]) -> Any:
        for draw, generator in self.draws:
            generator.manual_seed(seed(draw))
        self.graph.replay()
        if self._new:  # streams from which nothing is drawn need no seeds
            self.draws = [(draw, generator) for draw, generator in self.draws if generator.get_offset()]
            self._new = False
        return self.result


class FixedRound(Round):
    """A round whose tensors stay where they are; it stands for the same round of every step.

    Args:
        index: of the round in its step.
        begin: begins a random stream of the step that is played.
        state: as for `Round`.
    """

    def __init__(self, index: int, tensors: Mapping[str, Tensor], progress: Tensor, begin: Begin, state: State) -> None:
        super().__init__(tensors, progress, Seeds(), (0, 0), state)
        self._index, self._begin = index, begin

    def reseed(self, stream: Stream) -> None:
        self._begin((self._index, stream))


class Recording:
    """The steps of one layout.

    Args:
        turns: of the first of these steps.

    Attributes:
        played: number of steps so far.
        refused: why they cannot be recorded.
    """

    def __init__(self, turns: Sequence[Turn], fabric: Fabric) -> None:
        rounds = _rounds(turns)
        self.played, self.refused, self._fabric = 0, "", fabric
        self._tensors = [{name: t.clone() for name, t in round.tensors.items()} for round in rounds]
        self._states = [round.state for round in rounds]
        self._progress = torch.zeros((), device=fabric.device)
        self._turns = [(turn, [rounds.index(round) for round in turn.rounds]) for turn in turns]
        self._rounds: list[FixedRound] = []
        self._begin: Begin
        self._gradients: list[Plain | Captured] = [
            Plain(self._gradient(i), fabric.device) for i in range(len(self._turns))
        ]
        self._updates = [Update(turn.player, fabric.device) for turn in turns]

    def _gradient(self, i: int) -> Callable[[Begin], Gradient]:
        """The first half of move i."""
        turn, places = self._turns[i]

        def gradient(begin: Begin) -> Gradient:
            if i == 0:
                self._rounds = [
                    FixedRound(j, tensors, self._progress, lambda draw: self._begin(draw), state)
                    for j, (tensors, state) in enumerate(zip(self._tensors, self._states, strict=True))
                ]
            self._begin = begin
            mine = [self._rounds[j] for j in places]
            losses, observed = find_gradient(replace(turn, rounds=mine), self._fabric)
            return Gradient(losses, observed, [weight.grad for weight in turn.player.weights])

        return gradient

    def record(self, pools: tuple[Pool, Pool]) -> bool:
        """Record the gradients of all moves as graphs. Updates follow once their settings stay the same. False if they
        cannot be recorded; nothing has happened then.
        """
        captured: list[Plain | Captured] = []
        try:
            for plain in self._gradients:
                assert isinstance(plain, Plain)
                captured.append(Captured(plain, pools[0]))
        except RuntimeError as error:
            self.refused = _reason(error)
            for turn, _ in self._turns:
                turn.player.optimizer.zero_grad()  # they were never computed
        else:
            self._gradients = captured
            for change in self._updates:
                change.pool = pools[1]
        self._rounds = []
        return not self.refused

    def take(self, turns: Sequence[Turn]) -> tuple[dict[str, Losses], Losses]:
        """Take the turns of a step of this layout."""
        rounds = _rounds(turns)
        self._fill(rounds)
        losses: dict[str, Losses] = {}
        observed: Losses = {}
        for (turn, _), gradient, change in zip(self._turns, self._gradients, self._updates, strict=True):
            found: Gradient = gradient(lambda draw: rounds[draw[0]].key(draw[1]))
            for weight, slope in zip(turn.player.weights, found.weights, strict=True):
                weight.grad = slope
            change(found.observed)
            self.refused = self.refused or change.refused
            losses[turn.player.name] = found.losses
            observed.update(found.observed)
        self._rounds = []
        self.played += 1
        return _copied(losses, observed)

    def _fill(self, rounds: Sequence[Round]) -> None:
        """Copy the batches of a step to where the graphs read them."""
        self._progress.copy_(rounds[0].progress)
        for mine, round in zip(self._tensors, rounds, strict=True):
            for name, tensor in mine.items():
                tensor.copy_(round[name])


def _copied(losses: Mapping[str, Losses], observed: Losses) -> tuple[dict[str, Losses], Losses]:
    """Copies of all numbers of a step, which the next one would overwrite, in one operation."""
    parts = [*losses.values(), observed]
    values = iter(torch.stack([value for part in parts for value in part.values()]).unbind())
    copies = [{name: next(values) for name in part} for part in parts]
    return dict(zip(losses, copies[:-1], strict=True)), copies[-1]


class Update:
    """The second half of a move. It is recorded if the optimizer's settings, which the graph holds as numbers, are
    those of the last time; while a schedule changes them, and when a checkpoint is restored, it is played plainly.

    Attributes:
        pool: memory for the graph, once the gradients of the move are recorded.
        refused: why it cannot be recorded.
    """

    def __init__(self, player: Player, device: torch.device) -> None:
        self.pool: Pool | None = None
        self.refused = ""
        self._player, self._device = player, device
        self._settings: object = None
        self._state: object = None
        self._captured: Captured | None = None

    def __call__(self, observed: Losses) -> None:
        settings, state = _settings(self._player.optimizer), self._player.optimizer.state
        if self.pool is None or settings is None or settings != self._settings or state is not self._state:
            self._settings, self._state, self._captured = settings, state, None
        elif self._captured is None:
            self._capture(observed, self.pool)
        if self._captured is None:
            update(self._player, observed)
        else:
            self._captured(lambda _: 0)  # nothing is drawn

    def _capture(self, observed: Losses, pool: Pool) -> None:
        with _capturable(self._player.optimizer):
            try:
                self._captured = Captured(Plain(lambda _: update(self._player, observed), self._device), pool)
            except RuntimeError as error:
                self.refused = _reason(error)


def _settings(optimizer: Optimizer) -> object:
    """The numbers that a recorded update holds. None if it cannot be recorded: only fused optimizers do all of their
    arithmetic on the device.
    """
    if not all(group.get("fused") for group in optimizer.param_groups):
        return None
    groups = [[value for name, value in group.items() if name != "params"] for group in optimizer.param_groups]
    return [[id(value) if isinstance(value, Tensor) else value for value in group] for group in groups]


@contextmanager
def _capturable(optimizer: Optimizer) -> Iterator[None]:
    """Within this context, an Adam lets itself be recorded. A fused one computes the same in either case."""
    groups = [group for group in optimizer.param_groups if not group.get("capturable", True)]
    for group in groups:
        group["capturable"] = True
    try:
        yield
    finally:
        for group in groups:
            group["capturable"] = False


@contextmanager
def waits(watched: bool = True) -> Iterator[list[str]]:
    """Lists the operations within this context that wait for the device."""
    if not watched or not torch.cuda.is_available():
        yield []
        return
    found: list[str] = []
    mode = torch.cuda.get_sync_debug_mode()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            yield found
        finally:
            torch.cuda.set_sync_debug_mode(mode)
            places = [(Path(w.filename), w.lineno) for w in caught if "called a synchronizing" in str(w.message)]
            found += [f"a step waits for the device in {path.parent.name}/{path.name}:{n}" for path, n in places]


def _reason(error: BaseException) -> str:
    """The first line of the error that made a capture fail."""
    while error.__context__ is not None:
        error = error.__context__
    return (str(error).strip() or type(error).__name__).splitlines()[0]
