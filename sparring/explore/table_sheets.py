"""Rows of tables beside their nearest training rows."""

from __future__ import annotations

from sparring.data.split import held_out
from sparring.errors import InputError
from sparring.explore.neighbours import nearest_rows
from sparring.explore.scene import Drawing, Scene, Sheet
from sparring.modalities import Table

ROWS = 12
NEAREST = 2


def drawings(scene: Scene) -> dict[str, Drawing]:
    """What can be drawn of a model of tables, by name."""
    return {"neighbours": lambda: _neighbours(scene)}


def _neighbours(scene: Scene) -> list[Sheet]:
    """
    Raises:
        InputError: where the training data are not there, or lack a column.
    """
    modality, items = scene.model.modality, scene.items
    assert isinstance(modality, Table)
    if items.kind != "rows":
        raise InputError(f"{items.name!r} holds {items.kind}, but the model makes rows; give such data")
    if missing := [column.name for column in modality.learnt if column.name not in items.items]:
        raise InputError(f"{items.name!r} has no column {missing[0]!r}, which the model makes")
    frame = items.items[~held_out(len(items), None)].reset_index(drop=True)
    made = scene.model.sample(ROWS, seed=scene.seed).items
    distances, places = nearest_rows(modality.rows(made), modality.rows(frame), NEAREST)
    names = [column.name for column in modality.learnt]
    lines = [("", "distance", *names)]
    for i in range(len(made)):
        lines.append(("sample", "", *(str(value) for value in made[names].iloc[i])))
        for distance, place in zip(distances[i], places[i], strict=True):
            lines.append(("nearest", f"{distance:.3f}", *(str(value) for value in frame[names].iloc[place])))
    what = scene.trained_in_words("rows")
    shows = (
        f"samples, and below each the {what} nearest to it. Distances are means over the columns: "
        "1 for another level or for numbers two deviations apart. "
        f"{int((distances[:, 0] == 0).sum())} of {len(made)} are copies"
    )
    return [Sheet("neighbours", shows, table=tuple(lines))]
