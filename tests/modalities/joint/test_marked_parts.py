"""Pictures and films are marked as parts of items, too."""

import numpy as np
import pytest

from sparring.modalities.joint.assembled import Assembled
from sparring.provenance import Mark
from sparring.provenance.packets import Origin


def test_pictures_of_items_get_a_label(model, monkeypatch):
    monkeypatch.setattr("sparring.provenance.label.labeled", lambda frames: 255 - frames)  # these are too small for one
    samples = model.sample(2, seed=0)
    mark = Mark(eu=False, cn=True, origin=Origin("A", "b", "c"), marker=None)
    marked = mark.samples(samples)
    for name, part in samples.items.parts.items():
        same = np.array_equal(Assembled({name: part}), Assembled({name: marked.items.parts[name]}))
        assert same == (name != "picture")
    assert mark.notes(samples) == ()


def test_items_without_pixels_stay_the_same(model):
    parts = tuple(part for part in model.modality.parts if part.kind != "images")
    items = model.sample(2, seed=0).items
    rest = type(model.modality)(parts=parts)
    without = Assembled({part.name: items.parts[part.name] for part in parts})
    assert rest.with_pixels(without, pytest.fail) is without
