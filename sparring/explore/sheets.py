"""What is drawn of a model, by name. Kinds of data draw samples, walks and neighbors; the rest is the same for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from PIL import Image
from torch import Tensor

from sparring.data.tensors import CONDITION, VALUES, Tensors, length
from sparring.errors import InputError
from sparring.evaluation.classifier import classifier_of
from sparring.explore.directions import Direction, Method, directions, probe
from sparring.explore.invert import invert
from sparring.explore.latents import REACH, every_choice, sweep
from sparring.explore.saliency_sheet import saliency_sheet
from sparring.explore.scene import Scene, Sheet
from sparring.files import component
from sparring.games.autoencoder import Autoencoder
from sparring.games.game import Reconstruct
from sparring.games.prior import OneHot, Uniform
from sparring.modalities.exploring import Drawing, nearest

Draw = Callable[[], Sequence[Sheet]]

SHARES = (0.2, 0.4, 0.6, 0.8, 1.0)  # of the distance from the center, on the truncation sheet
DIRECTIONS = 4  # by each method
COLUMNS = 8  # of sheets of single items
MAX_RESULTS = 24  # given items on the sheet of results
MAX_RECONSTRUCTED = 32
MAX_INVERTED = 8  # held-out images that are inverted if none are given
MIN_AUC = 0.6  # area under the ROC curve above which a probe's direction has to do with its label


def drawings(scene: Scene) -> dict[str, Draw]:
    """What can be drawn of a model, by name."""
    game, modality = scene.model.game, scene.model.modality
    sheets: dict[str, Draw] = {}
    if modality.source is not None:
        sheets["results"] = lambda: _results(scene)
    else:
        sheets["samples"] = lambda: [_samples(scene)]
    if scene.has_space:
        sheets |= _walks(scene) | _directions(scene)
    if game.discriminator() is not None and modality.classifier_input is not None:
        sheets["saliency"] = lambda: _saliency(scene)
    if modality.source is None:
        sheets["neighbors"] = lambda: [_sheet("neighbors", "", modality.draw_neighbors(scene))]
    if (reconstruct := scene.model.autoencoder()) is not None and scene.has_space:
        sheets["reconstruction"] = lambda: _reconstruction(scene, reconstruct)
    if isinstance(game, Autoencoder) and scene.has_space:
        sheets["between"] = lambda: [_between(scene, game)]
    if scene.has_space and modality.classifier_input is not None:
        sheets["inversion"] = lambda: _inversion(scene)
    return sheets


def _samples(scene: Scene) -> Sheet:
    samples = scene.sample(scene.model.modality.preview_items)
    return Sheet("samples", "samples", samples.preview(), media=samples.played())


def _walks(scene: Scene) -> dict[str, Draw]:
    sheets: dict[str, Draw] = {"interpolation": lambda: _interpolation(scene), "truncation": lambda: _truncation(scene)}
    for part in scene.space.latent.parts:
        if isinstance(part, OneHot):
            sheets[part.name] = lambda part=part: _choices(scene, part)  # type: ignore[misc]
        elif isinstance(part, Uniform):
            sheets[part.name] = lambda part=part: _sweeps(scene, part)  # type: ignore[misc]
    if scene.space.latent.layers > 1:
        sheets["style-mixing"] = lambda: _style_mixing(scene)
    return sheets


def _directions(scene: Scene) -> dict[str, Draw]:
    if scene.space.latent.per_step:
        return {}
    sheets: dict[str, Draw] = {"sefa": lambda: _along(scene, "sefa"), "pca": lambda: _along(scene, "pca")}
    if not scene.model.game.classes and scene.model.modality.classifier_input is not None:
        sheets["probe"] = lambda: _probes(scene)
    return sheets


def _sheet(name: str, caption: str, drawing: Drawing) -> Sheet:
    """A drawing under a name. Its own caption says how to read it."""
    caption = "; ".join(filter(None, (caption, drawing.caption)))
    return Sheet(name, caption, drawing.picture, drawing.table, drawing.media)


def _walk_sheet(scene: Scene, name: str, caption: str, points: Tensor, steps: int) -> Sheet:
    """A sheet of walks through points (walks * steps, full width), each for one condition."""
    walks = generate_walks(scene, points, steps)
    return _sheet(name, caption, scene.model.modality.draw_walks(walks, steps, scene))


def generate_walks(scene: Scene, points: Tensor, steps: int) -> Tensors:
    """Samples of points (walks * steps, full width), each walk for one condition."""
    condition = scene.conditions(len(points) // steps)
    return scene.space.generate(points, None if condition is None else condition.repeat_interleave(steps, 0))


def _interpolation(scene: Scene) -> list[Sheet]:
    n, steps = scene.model.modality.walk_grid
    ends = scene.space.draw(2 * n, scene.seed, _twice(scene.conditions(n)))
    points = scene.space.between(ends[:n], ends[n:], steps).transpose(0, 1).flatten(0, 1)
    return [_walk_sheet(scene, "interpolation", "walks from one sample to another", points, steps)]


def _truncation(scene: Scene) -> list[Sheet]:
    """Truncated latents or styles."""
    n, _ = scene.model.modality.walk_grid
    points, center = scene.points(n), scene.space.center()
    truncated = [torch.where(scene.space.movable, center.lerp(points, share), points) for share in SHARES]
    caption = f"samples from near the center of the space ({SHARES[0]:.0%} of the distance) to the sample itself"
    return [_walk_sheet(scene, "truncation", caption, torch.stack(truncated, 1).flatten(0, 1), len(SHARES))]


def _choices(scene: Scene, part: OneHot) -> list[Sheet]:
    n, _ = scene.model.modality.walk_grid
    points = every_choice(scene.model.game.prior, scene.points(n), part)
    return [_walk_sheet(scene, part.name, f"every value of {part.name!r}, all else equal", points, part.width)]


def _sweeps(scene: Scene, part: Uniform) -> list[Sheet]:
    sheets = []
    n, steps = scene.model.modality.walk_grid
    for i in range(part.width):
        points = sweep(scene.model.game.prior, scene.points(n), part, i, steps)
        caption = f"number {i + 1} of {part.name!r} from {-REACH:g} to {REACH:g}, all else equal"
        sheets.append(_walk_sheet(scene, f"{part.name}-{i + 1}", caption, points, steps))
    return sheets


def _style_mixing(scene: Scene) -> list[Sheet]:
    """Coarse styles of one sample, fine styles of another."""
    condition, layers = scene.conditions(COLUMNS), scene.space.latent.layers
    points = scene.space.draw(2 * COLUMNS, scene.seed, _twice(condition))
    coarse, fine = points[:COLUMNS].repeat_interleave(COLUMNS, 0), points[COLUMNS:].repeat(COLUMNS, 1)
    is_coarse = torch.arange(layers, device=coarse.device) < layers // 2
    mixed = torch.where(is_coarse[:, None], coarse[:, None], fine[:, None])
    caption = "coarse styles of one sample in each row, fine styles of one sample in each column"
    samples = scene.space.generate(mixed, None if condition is None else condition.repeat_interleave(COLUMNS, 0))
    return [Sheet("style-mixing", caption, scene.model.modality.draw_grid(samples, COLUMNS))]


def move_along(scene: Scene, direction: Direction) -> tuple[Tensor, int]:
    """Points of samples moved along a direction, (walks * steps, full width), and the number of steps."""
    n, steps = scene.model.modality.walk_grid
    t = torch.linspace(-direction.reach, direction.reach, steps, device=direction.vector.device)
    return (scene.points(n)[:, None] + t[:, None] * direction.vector).flatten(0, 1), steps


def _along(scene: Scene, method: Method) -> list[Sheet]:
    """A sheet for each direction."""
    if scene.space.name == "w":
        measure = {"sefa": "the squared weights of the layers", "pca": "the variance of the styles"}[method]
    else:
        measure = {"sefa": "the squared weights of the first layer", "pca": "the variance half-way through G"}[method]
    sheets = []
    for i, direction in enumerate(directions(scene.model, method, DIRECTIONS, scene.seed), 1):
        caption = (
            f"samples moved by up to {direction.reach:g} standard deviations to either side along direction {i} by "
            f"{method}, which has {direction.share:.0%} of {measure}"
        )
        sheets.append(_walk_sheet(scene, f"{method}-{i}", caption, *move_along(scene, direction)))
    return sheets


def _probes(scene: Scene) -> list[Sheet]:
    """A sheet for each class of the real data towards which samples can be moved.

    Raises:
        InputError: if the data have no labels, or labels of samples do not depend on the latents.
    """
    real = scene.real
    if not real.modality.classes:
        raise InputError(f"{real.name!r} has no labels for a probe")
    with scene.screen.progress("training a classifier") as progress, torch.enable_grad():
        net = classifier_of(real, real.data.train, progress).to(scene.model.device)
    probes = probe(scene.model, net.probabilities, real.modality.classes, seed=scene.seed)
    useful = [direction for direction in probes if direction.share and direction.share > MIN_AUC]
    if not useful:
        raise InputError(f"no label of {real.name!r} can be predicted from the latents of samples")
    sheets = []
    for direction in useful:
        caption = (
            f"samples moved by up to {direction.reach:g} standard deviations to either side, with what a classifier "
            f"labels {direction.name!r} at the end; AUC {direction.share:.2f} on unseen samples"
        )
        sheets.append(_walk_sheet(scene, f"probe-{component(direction.name)}", caption, *move_along(scene, direction)))
    return sheets


def _results(scene: Scene) -> list[Sheet]:
    """What the model generates from given items."""
    batch, model = scene.examples(MAX_RESULTS), scene.model
    samples = model.game.generate(model.game.draw(length(batch), model.device), batch[CONDITION])
    caption = f"inputs of {scene.held_words}, the results next to them, and the true items if they are known"
    return [Sheet("results", caption, model.modality.draw_batch(samples, batch))]


def _saliency(scene: Scene) -> list[Sheet]:
    model, batch = scene.model, scene.examples(COLUMNS)
    D = model.game.discriminator()
    assert D is not None
    real = scene.condition_of(batch)
    if model.modality.source is not None:
        values, condition = model.game.values(model.game.draw(length(batch), model.device), real), real
    else:
        values, condition = scene.samples(COLUMNS)[VALUES], scene.conditions(COLUMNS)
    return [saliency_sheet(scene, D, (values, condition), (batch[VALUES], real))]


def _reconstruction(scene: Scene, reconstruct: Reconstruct) -> list[Sheet]:
    """Held-out items, and below each what the decoder returns for its code."""
    batch = scene.examples(MAX_RECONSTRUCTED)
    count = length(batch) // COLUMNS * COLUMNS or length(batch)
    x = batch[VALUES][:count]
    condition = scene.condition_of(batch)
    condition = None if condition is None else condition[:count]
    caption = f"{scene.held_words}, and below each its reconstruction by encoder and decoder"
    return [Sheet("reconstruction", caption, _lines(scene, {VALUES: x}, {VALUES: reconstruct(x, condition)}))]


def _between(scene: Scene, game: Autoencoder) -> Sheet:
    """Walks through the codes of real items: from the first to the second, from the third to the fourth, ..."""
    n, steps = scene.model.modality.walk_grid
    batch = scene.examples(2 * n)
    count = length(batch) // 2
    if not count:
        raise InputError(f"{scene.items.name!r} has one {scene.model.modality.words.item} only; give two with --data")
    condition = scene.condition_of(batch)
    codes = game.encode(batch[VALUES], condition)
    a, b = codes[0 : 2 * count : 2], codes[1 : 2 * count : 2]
    shares = torch.linspace(0, 1, steps).tolist()
    walks = torch.stack([a.lerp(b, share) for share in shares], 1).flatten(0, 1)
    own, caption = None, f"walks through the autoencoder's codes, between two {scene.held_words}"
    if condition is not None:
        own = torch.stack([condition[int(share >= 0.5) : 2 * count : 2] for share in shares], 1).flatten(0, 1)
        caption += "; the label changes half-way"
    samples = {VALUES: game.decode(walks, own)}
    return _sheet("between", caption, scene.model.modality.draw_walks(samples, steps, scene))


def _inversion(scene: Scene) -> list[Sheet]:
    modality = scene.model.modality
    images, words = scene.given, f"given {modality.words.items}"
    if images is None:
        images, words = scene.pixels(scene.examples(MAX_INVERTED)[VALUES]), scene.held_words
    condition = scene.conditions(len(images)) if scene.asked else None
    with scene.screen.progress("inverting images") as progress:
        result = invert(scene.model, images, condition, seed=scene.seed, progress=progress, perceptual=scene.perceptual)
    x, again = (_values(scene, torch.from_numpy(pixels)) for pixels in (images, result.pictures))
    difference = (x - again).abs() - 1
    lines = [x, again, modality.scale(modality.unscale(difference))]
    caption = (
        f"{words}, below each the image that the model generates from the latents found for it, and their difference. "
        f"Mean squared error, with black 0 and white 1: {float(result.errors.mean()):.4f}"
    )
    if scene.given is None and not scene.has_held_out:  # each would be its own nearest training image
        return [Sheet("inversion", caption, _padded_lines(scene, lines))]
    try:
        distances, near = nearest({VALUES: x}, scene.training(), 1, modality.comparable)
    except InputError as error:  # the user's own image can be inverted without the training data
        caption += f". The nearest real images are not shown: {error}"
    else:
        lines.append(near[VALUES][:, 0])
        caption += (
            f"; of the nearest of the {scene.training_words}, in the last row: "
            f"{float((distances / 2).square().mean()):.4f}"
        )
    return [Sheet("inversion", caption, _padded_lines(scene, lines))]


def _lines(scene: Scene, *groups: Tensors) -> Image.Image:
    """Items of several groups, (n, ...) each, below one another, at most eight in a line."""
    n = length(groups[0])
    order = [range(start, min(start + COLUMNS, n)) for start in range(0, n, COLUMNS)]
    stacked = {
        name: torch.cat([group[name][line.start : line.stop] for line in order for group in groups])
        for name in groups[0]
    }
    return scene.model.modality.draw_grid(stacked, min(COLUMNS, n))


def _padded_lines(scene: Scene, images: Sequence[Tensor]) -> Image.Image:
    """Lines of images (n, c, h, w), with white ones at the end of the last line."""
    missing = -len(images[0]) % COLUMNS if len(images[0]) > COLUMNS else 0
    padded = [torch.cat([x, x.new_ones(missing, *x.shape[1:])]) for x in images]
    return _lines(scene, *({VALUES: x} for x in padded))


def _values(scene: Scene, pixels: Tensor) -> Tensor:
    """Bytes (n, h, w, c) as networks see them, (n, c, h, w)."""
    return scene.model.modality.scale(pixels.permute(0, 3, 1, 2)).to(scene.model.device)


def _twice(condition: Tensor | None) -> Tensor | None:
    return None if condition is None else torch.cat([condition, condition])
