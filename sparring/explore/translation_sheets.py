"""Sheets of models that make pictures of given pictures."""

from __future__ import annotations

from sparring.data.tensors import VALUES
from sparring.explore.saliency import discriminator
from sparring.explore.saliency_sheet import looked_at
from sparring.explore.scene import ROWS, Drawing, Scene, Sheet
from sparring.games.cycle import Cycle

PAIRS = 24


def drawings(scene: Scene) -> dict[str, Drawing]:
    """What can be drawn of a model of pictures of pictures, by name."""
    found: dict[str, Drawing] = {"made": lambda: _made(scene)}
    if discriminator(scene.model.game) is not None:
        found["saliency"] = lambda: _looked_at(scene)
    return found


def _made(scene: Scene) -> list[Sheet]:
    held, modality = scene.held(PAIRS), scene.model.modality
    made = scene.model.game.values(held["condition"][:, :0], held["condition"])
    what = scene.held_in_words("pictures")
    shows = f"what is given of {what}, and beside it what is made of it, and the truth where it is known"
    return [Sheet("made", shows, modality.draw_batch({VALUES: made}, held))]


def _looked_at(scene: Scene) -> list[Sheet]:
    held, game = scene.held(ROWS), scene.model.game
    D = discriminator(game)
    assert D is not None
    made = game.values(held["condition"][:, :0], held["condition"])
    told = None if isinstance(game, Cycle) else held["condition"]
    return [looked_at(scene, D, (made, told), (held["values"], told))]
