"""Narrower nets: the channels that matter least are removed, and the rest learns to generate the same samples again."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

from sparring.data.store import Progress
from sparring.errors import InputError
from sparring.games.graph import GeneratorNet
from sparring.model import Model

WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d)
# Layers that process each channel on its own.
CHANNELWISE = (
    nn.BatchNorm1d, nn.BatchNorm2d, nn.ReLU, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SiLU, nn.Tanh, nn.Sigmoid, nn.Dropout,
    nn.Upsample,
)  # fmt: skip
SCORING_BATCHES = 4  # batches on which the channels are scored
STEPS = 600  # of fine-tuning
MAX_SHARE = 0.95  # of the channels that are removed
LEARNING_RATE = 1e-3  # of its Adam at the beginning
Batch = tuple[Tensor, Tensor | None]  # latents and conditions


@dataclass(frozen=True)
class Chain:
    """Two layers with nothing between them that mixes channels, so that channels between them can be removed.

    Attributes:
        before: path of the layer that outputs the channels.
        between: paths of layers that have parameters for each channel.
        after: path of the layer that takes the channels.
    """

    before: str
    between: tuple[str, ...]
    after: str


def chains(net: nn.Module) -> list[Chain]:
    """All chains in the parts of a net that are plain sequences of layers."""
    found: list[Chain] = []
    inner = {id(child) for m in net.modules() if isinstance(m, nn.Sequential) for child in m.children()}
    for path, module in net.named_modules():
        if not _is_sequence(module) or id(module) in inner:
            continue
        before, between = "", list[str]()
        for name, layer in _flat(path, module):
            if _prunable_layer(layer):
                found += [Chain(before, tuple(between), name)] if before else []
                before, between = name, []
            elif not isinstance(layer, CHANNELWISE):
                before = ""
            elif list(layer.parameters()):
                between.append(name)
    return found


def _is_sequence(module: nn.Module) -> bool:
    """True if a module only runs its children one after the other."""
    return isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward


def _flat(path: str, module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Layers in their order, with their paths."""
    for name, child in module.named_children():
        inside = f"{path}.{name}" if path else name
        if _is_sequence(child):
            yield from _flat(inside, child)
        else:
            yield inside, child


def _prunable_layer(layer: nn.Module) -> bool:
    ungrouped = getattr(layer, "groups", 1) == 1 and not parametrize.is_parametrized(layer)
    return isinstance(layer, WEIGHTED) and ungrouped


def prunable(model: Model) -> dict[str, list[Chain]]:
    """The chains of a model's generators, by the names of the nets.

    Raises:
        InputError: if there are none.
    """
    found = {net.name: chains(getattr(model.game, net.name)) for net in model.game.generators()}
    if not any(found.values()):
        raise InputError(
            f"--prune was given, but the generator of recipe {model.recipe.name!r} has no plain sequences of layers "
            "from which channels could be removed; use --int8 or --half"
        )
    return found


def pruned(
    model: Model,
    share: float,
    draw: Callable[[], Batch],
    progress: Progress,
    reverse: Callable[[], Batch] | None = None,
) -> Model:
    """A model with narrower generators.

    The score of a channel is its magnitude times that of the weights that take it, as for weights in Sun et al. 2023,
    arXiv:2306.11695. Then each generator learns what it generated before (Hinton et al. 2015, arXiv:1503.02531), which
    needs no data except given items.

    Args:
        model: is left unchanged.
        share: of the channels of each chain that are removed, above 0 and at most 0.95.
        draw: draws a batch of latents and conditions.
        progress: receives the number of finished steps of the fine-tuning.
        reverse: draws a batch for generators of the opposite direction, if there are any.

    Raises:
        InputError: if the share is out of range, or no net has chains.
    """
    if not 0 < share <= MAX_SHARE:
        raise InputError(f"--prune {share:g} is out of range; it must be above 0 and at most {MAX_SHARE:g}")
    found = prunable(model)
    game = copy.deepcopy(model.game).eval()
    pairs = list(zip(game.generators(), model.game.generators(), strict=True))
    draws = [reverse or draw if student.reverse else draw for student, _ in pairs]
    for (student, _), batch in zip(pairs, draws, strict=True):
        _narrow_all(game, student, found[student.name], batch, share)
    for i, ((student, teacher), batch) in enumerate(zip(pairs, draws, strict=True)):
        report = partial(_report, progress, i * STEPS, len(pairs) * STEPS)
        _distill(student, teacher, getattr(game, student.name), batch, report)
    counts = {name: sum(p.numel() for p in net.parameters()) for name, net in game.named_children()}
    about = {"pruned": share, "parameters": {name: count for name, count in counts.items() if count}}
    return Model(model.recipe, model.modality, game, {**model.about, **about})


def _report(progress: Progress, start: int, total: int, done: int) -> None:
    progress(start + done, total)


def _narrow_all(
    game: nn.Module, generator: GeneratorNet, found: Sequence[Chain], draw: Callable[[], Batch], share: float
) -> None:
    """Remove channels from a generator and from its copies."""
    net: nn.Module = getattr(game, generator.name)
    keeps = _best_channels(net, found, lambda: generator.run(*draw()), share)
    for narrowed in (net, *(getattr(game, name) for name in generator.copies)):
        for chain, keep in zip(found, keeps, strict=True):
            _narrow(narrowed, chain, keep)


@torch.no_grad()
def _best_channels(net: nn.Module, found: Sequence[Chain], run: Callable[[], object], share: float) -> list[Tensor]:
    """For each chain the channels that are kept."""
    squares: dict[str, Tensor] = {}

    def measure(name: str, _module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        x = inputs[0].detach()
        x = x.movedim(1, -1) if x.ndim > 2 else x
        of_batch = x.float().square().flatten(0, -2).mean(0)  # (channels,)
        squares[name] = squares.get(name, torch.zeros_like(of_batch)) + of_batch

    hooks = [net.get_submodule(c.after).register_forward_pre_hook(partial(measure, c.after)) for c in found]
    for _ in range(SCORING_BATCHES):
        run()
    for hook in hooks:
        hook.remove()
    keeps = []
    for chain in found:
        layer = net.get_submodule(chain.after)
        weight = layer.get_parameter("weight").movedim(_input_dimension(layer), 0).flatten(1).norm(dim=1)
        score = squares[chain.after].sqrt() * weight
        kept = max(1, round((1 - share) * len(score)))
        keeps.append(score.topk(kept).indices.sort().values)
    return keeps


def _input_dimension(layer: nn.Module) -> int:
    """The dimension of a layer's weight that belongs to its input channels."""
    return 0 if isinstance(layer, nn.ConvTranspose2d) else 1


def _narrow(net: nn.Module, chain: Chain, keep: Tensor) -> None:
    """Keep only some channels of a chain."""
    before, after = net.get_submodule(chain.before), net.get_submodule(chain.after)
    channels = before.get_parameter("weight").shape[1 - _input_dimension(before)]
    _select(before, "weight", 1 - _input_dimension(before), keep)
    if getattr(before, "bias", None) is not None:
        _select(before, "bias", 0, keep)
    _select(after, "weight", _input_dimension(after), keep)
    for layer in (net.get_submodule(path) for path in chain.between):
        for name, tensor in [*layer.named_parameters(), *layer.named_buffers()]:
            if tensor.shape == (channels,) and channels > 1:
                _select(layer, name, 0, keep)


def _select(layer: nn.Module, name: str, dimension: int, keep: Tensor) -> None:
    tensor = getattr(layer, name).detach().index_select(dimension, keep)
    setattr(layer, name, nn.Parameter(tensor) if name in layer._parameters else tensor)


def _distill(
    student: GeneratorNet,
    teacher: GeneratorNet,
    net: nn.Module,
    draw: Callable[[], Batch],
    progress: Callable[[int], None],
) -> None:
    """Train a net to generate what another one generates; statistics of batch norms stay as they are."""
    net.requires_grad_(True)
    adam = torch.optim.Adam(net.parameters(), LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, STEPS)
    for step in range(STEPS):
        z, condition = draw()
        with torch.no_grad():
            target = teacher.run(z, condition)
        loss = F.smooth_l1_loss(student.run(z, condition), target)
        adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        adam.step()
        schedule.step()
        progress(step + 1)
