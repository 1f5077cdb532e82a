"""Sheets of models that make pictures of noise."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from sparring.errors import InputError
from sparring.evaluation import classifier
from sparring.explore.captions import captioned
from sparring.explore.directions import Direction, Method, directions, probe
from sparring.explore.invert import invert
from sparring.explore.latents import REACH, chosen, turned
from sparring.explore.neighbours import neighbours
from sparring.explore.saliency import discriminator
from sparring.explore.saliency_sheet import looked_at
from sparring.explore.scene import ROWS, Drawing, Scene, Sheet
from sparring.files import component
from sparring.games.prior import OneHot, Uniform
from sparring.games.stylegan import StyleGAN
from sparring.games.vae import Autoencoder

STEPS = 11
SHARES = (0.2, 0.4, 0.6, 0.8, 1.0)
DIRECTIONS = 4  # of each way to find them
INVERTED = 8  # pictures, where none are given
NEAREST = 5
TOLD = 0.6  # of pairs of samples, from which on a direction has something to do with a label
OTHERS = 32  # held-out pictures whose nearest are looked for too


def drawings(scene: Scene) -> dict[str, Drawing]:
    """What can be drawn of a model of pictures, by name."""
    game = scene.model.game
    found: dict[str, Drawing] = {"interpolation": lambda: _way(scene), "typical": lambda: _typical(scene)}
    for part in game.prior.parts:
        if isinstance(part, OneHot):
            found[part.name] = lambda part=part: _choice(scene, part)  # type: ignore[misc]
        elif isinstance(part, Uniform):
            found[part.name] = lambda part=part: _turns(scene, part)  # type: ignore[misc]
    if isinstance(game, StyleGAN):
        found["mixed"] = lambda: _mixed(scene)
    found["sefa"] = lambda: _edits(scene, "sefa")
    found["pca"] = lambda: _edits(scene, "pca")
    if not game.classes:
        found["probe"] = lambda: _probed(scene)
    if discriminator(game) is not None:
        found["saliency"] = lambda: _looked_at(scene)
    found["neighbours"] = lambda: _neighbours(scene)
    if isinstance(game, Autoencoder):
        found["reconstructed"] = lambda: _again(scene)
    found["inverted"] = lambda: _inverted(scene)
    return found


def _way(scene: Scene) -> list[Sheet]:
    points = scene.space.draw(2 * ROWS, scene.seed, _twice(scene.labels(ROWS)))
    ways = scene.space.between(points[:ROWS], points[ROWS:], STEPS).transpose(0, 1).flatten(0, 1)
    shows = "from one sample to another, a way for each row"
    return [Sheet("interpolation", shows, scene.drawn(_made(scene, ways, STEPS), STEPS))]


def _typical(scene: Scene) -> list[Sheet]:
    """By truncated latents or styles."""
    points, middle = scene.points(ROWS), scene.space.centre()
    nearer = [torch.where(scene.space.movable, middle.lerp(points, share), points) for share in SHARES]
    made = _made(scene, torch.stack(nearer, 1).flatten(0, 1), len(SHARES))
    return [Sheet("typical", "from near the mean of all to the sample itself, to the right", scene.drawn(made, 5))]


def _choice(scene: Scene, part: OneHot) -> list[Sheet]:
    rows = chosen(scene.space.prior, scene.points(ROWS), part)
    shows = f"a column for each value of {part.name!r}, all else equal along a row"
    return [Sheet(part.name, shows, scene.drawn(_made(scene, rows, part.width), part.width))]


def _turns(scene: Scene, part: Uniform) -> list[Sheet]:
    sheets = []
    for number in range(part.width):
        rows = turned(scene.space.prior, scene.points(ROWS), part, number, STEPS)
        shows = f"number {number + 1} of {part.name!r} from {-REACH:g} to {REACH:g}, all else equal along a row"
        sheets.append(Sheet(f"{part.name}-{number + 1}", shows, scene.drawn(_made(scene, rows, STEPS), STEPS)))
    return sheets


def _mixed(scene: Scene) -> list[Sheet]:
    """Coarse styles of the row's sample, fine ones of the column's."""
    game = scene.model.game
    assert isinstance(game, StyleGAN)
    points = scene.space.draw(2 * ROWS, scene.seed, _twice(scene.labels(ROWS)))
    coarse, fine = points[:ROWS].repeat_interleave(ROWS, 0), points[ROWS:].repeat(ROWS, 1)
    first = torch.arange(game.G.styles, device=coarse.device) < game.G.styles // 2
    w = torch.where(first[:, None], coarse[:, None], fine[:, None])
    shows = "coarse styles of a sample for each row, fine ones of a sample for each column"
    return [Sheet("mixed", shows, scene.drawn(game.G.synthesis(w), ROWS))]


def edited(scene: Scene, direction: Direction) -> Tensor:
    """Samples along a direction, a row each, as nets make them, (rows * steps, c, h, w)."""
    t = torch.linspace(-direction.reach, direction.reach, STEPS, device=direction.vector.device)
    return _made(scene, (scene.points(ROWS)[:, None] + t[:, None] * direction.vector).flatten(0, 1), STEPS)


def _edits(scene: Scene, method: Method) -> list[Sheet]:
    """A sheet for each direction."""
    of = {"sefa": "of what the first layer tells apart", "pca": "of the variance half-way through the net"}[method]
    if scene.space.name == "w":
        of = {"sefa": "of what the layers tell apart", "pca": "of the styles' variance"}[method]
    sheets = []
    for i, found in enumerate(directions(scene.model, method, DIRECTIONS, scene.seed)):
        shows = f"samples moved by {found.reach:g} deviations to either side, along direction {i + 1} by {method}, "
        shows += f"{found.share:.0%} {of}"
        sheets.append(Sheet(f"{method}-{i + 1}", shows, scene.drawn(edited(scene, found), STEPS)))
    return sheets


def _probed(scene: Scene) -> list[Sheet]:
    """A sheet for each class of the real data that samples can be moved towards.

    Raises:
        InputError: where the data have no labels, or samples' labels have nothing to do with the latents.
    """
    real = scene.real
    if not real.modality.classes:
        raise InputError(f"{real.name!r} has no labels that a probe could look for")
    with scene.screen.progress("learning the labels") as progress, torch.enable_grad():
        net = classifier.of(real, real.data.train, progress).to(scene.model.device)
    found = probe(scene.model, net.probabilities, real.modality.classes, seed=scene.seed)
    told = [direction for direction in found if direction.share and direction.share > TOLD]
    if not told:
        raise InputError(f"no label of {real.name!r} can be told by the latents that samples are made of")
    sheets = []
    for one in told:
        shows = f"samples moved by {one.reach:g} deviations to either side, towards what a classifier takes for "
        shows += f"{one.name!r} to the right; {one.share:.0%} of unseen pairs of samples are told by this direction"
        sheets.append(Sheet(f"probe-{component(one.name)}", shows, scene.drawn(edited(scene, one), STEPS)))
    return sheets


def _looked_at(scene: Scene) -> list[Sheet]:
    D, label = discriminator(scene.model.game), scene.labels(ROWS)
    assert D is not None
    held = scene.held(ROWS)
    made = scene.space.pictures(scene.points(ROWS), label)
    return [looked_at(scene, D, (made, label), (held["values"], scene.told(held.get("label"))))]


def _neighbours(scene: Scene) -> list[Sheet]:
    modality, held = scene.model.modality, scene.real.data.held[:OTHERS]
    made = modality.scale(modality.unscale(scene.space.pictures(scene.points(ROWS), scene.labels(ROWS))))
    others = [part["values"].to(made) for part in scene.batches(held)] if len(held) else []
    distances, found = neighbours(torch.cat([made, *others]), scene.trained(), NEAREST)
    rows = torch.cat([made[:, None], found[:ROWS]], 1).flatten(0, 1)
    captions = [text for row in distances[:ROWS].tolist() for text in ("sample", *(f"{d:.2f}" for d in row))]
    shows = (
        f"a sample for each row, and its nearest {scene.trained_in_words('pictures')}, with the root mean squares of "
        "the differences, where black and white are 2 apart"
    )
    if others:
        usual = float(distances[ROWS:, 0].median())
        one = "a real picture that was held out" if scene.source is None else "another picture of these"
        shows += f". The nearest to {one} is {usual:.2f} away, at the median of {len(held)}"
    return [Sheet("neighbours", shows, captioned(scene.decoded(rows), captions, 1 + found.shape[1]))]


def _again(scene: Scene) -> list[Sheet]:
    """Held-out pictures, and below each what the model makes of it."""
    game = scene.model.game
    assert isinstance(game, Autoencoder)
    held = scene.held(4 * ROWS)
    x = held["values"][: max(1, len(held["values"]) // ROWS) * ROWS]
    label = scene.told(held.get("label"))
    again = game.reconstruct(x, None if label is None else label[: len(x)])
    shows = f"{scene.held_in_words('pictures')}, and below each what is made of it"
    return [Sheet("reconstructed", shows, _lines(scene, x, again))]


def _inverted(scene: Scene) -> list[Sheet]:
    modality = scene.model.modality
    given, what = scene.pictures, "given pictures"
    if given is None:
        given, what = scene.decoded(scene.held(INVERTED)["values"]), scene.held_in_words("pictures")
    label = None if scene.label is None else scene.label.expand(len(given))
    with scene.screen.progress("inverting pictures") as progress:
        found = invert(scene.model, given, label, seed=scene.seed, progress=progress)
    x, again = (_tensor(scene, pixels) for pixels in (given, found.pictures))
    apart = (x - again).abs() - 1
    kinds = [x, again, modality.scale(modality.unscale(apart))]
    shows = (
        f"{what}, below each what the model makes of the latents that were found for it, and the difference. "
        f"Mean squared error, of black to white: {float(found.errors.mean()):.4f}"
    )
    if scene.pictures is None and not scene.unseen:  # each is the nearest to itself
        return [Sheet("inverted", shows, _lines(scene, *kinds))]
    try:
        distances, nearest = neighbours(x, scene.trained(), 1)
    except InputError as error:  # one's own picture can be inverted without the training data
        shows += f". The nearest real pictures are not shown: {error}"
    else:
        kinds.append(nearest[:, 0])
        shows += f"; that of the nearest of the {scene.trained_in_words('pictures')}, last: "
        shows += f"{float((distances / 2).square().mean()):.4f}"
    return [Sheet("inverted", shows, _lines(scene, *kinds))]


def _made(scene: Scene, rows: Tensor, columns: int) -> Tensor:
    """What is made of points (rows * columns, full width), each row with its label."""
    label = scene.labels(len(rows) // columns)
    return scene.space.pictures(rows, None if label is None else label.repeat_interleave(columns))


def _lines(scene: Scene, *kinds: Tensor) -> Image.Image:
    """Pictures of several kinds (n, c, h, w), those of one below one another, at most eight in a line."""
    groups = zip(*(torch.split(kind, ROWS) for kind in kinds), strict=True)
    columns = min(ROWS, len(kinds[0]))
    blank = kinds[0].new_ones(1, *kinds[0].shape[1:])
    whole = [torch.cat([x, blank.expand(columns - len(x), -1, -1, -1)]) for group in groups for x in group]
    return scene.drawn(torch.cat(whole), columns)


def _tensor(scene: Scene, pixels: NDArray[np.uint8]) -> Tensor:
    """Bytes (n, h, w, c) as nets see them, (n, c, h, w)."""
    return scene.model.modality.scale(torch.from_numpy(pixels).permute(0, 3, 1, 2)).to(scene.model.device)


def _twice(label: Tensor | None) -> Tensor | None:
    return None if label is None else label.repeat(2)
