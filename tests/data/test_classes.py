"""Classes and held-out items follow from the folders around files."""

import pytest

from sparring.data.classes import classify
from sparring.data.split import held_out


@pytest.mark.parametrize(
    ("names", "classes", "held"),
    [
        (["a/1", "b/1"], ("a", "b"), None),
        (["set/a/1", "set/b/x/1"], ("a", "b"), None),  # an outer folder says nothing
        (["set/train/a/1", "set/train/b/1"], ("a", "b"), None),
        (["train/a/1", "train/b/1", "test/a/1"], ("a", "b"), [False, False, True]),
        (["Train/1", "Val/1"], (), [False, True]),
        (["a/1", "b/1", "1"], (), None),  # not all in classes
        (["a/1", "a/2"], (), None),  # one class is none
        (["test/1", "val/1"], ("test", "val"), None),  # nothing to train on if these were held out
        (["1", "2"], (), None),
        (["part-00000/a/1", "part-00001/b/1"], ("a", "b"), None),
        (["part-00000/1", "part-00001/2"], (), None),  # parts of samples are no classes
    ],
)
def test_classify(names, classes, held):
    labels, found, apart = classify(names)
    assert found == classes
    assert (labels is None) == (not classes)
    assert (None if apart is None else apart.tolist()) == held


def test_a_share_of_every_class_is_held_out():
    import numpy as np

    labels = np.repeat([0, 1, 2], [200, 50, 3])
    held = held_out(253, labels)
    assert np.bincount(labels[held], minlength=3).tolist()[:2] == [20, 5]
    assert np.array_equal(held, held_out(253, labels))
    assert held_out(20, None).sum() == 2
    assert held_out(10, None).sum() == 0
    assert held_out(70_000, None).sum() == 1000


def test_classes_that_are_called_parts():
    """Parts of samples have five digits; classes of the user's may be called nearly so."""
    assert classify(["part-1/a.png", "part-1/b.png", "part-2/a.png"])[1] == ("part-1", "part-2")
    assert classify(["part-00000/a.png", "part-00001/a.png"])[1] == ()
