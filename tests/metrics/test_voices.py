"""What is checked in music of several voices, on pieces small enough to be judged by eye."""

import numpy as np
import pytest
import torch

from sparring.metrics import voices
from sparring.metrics.two_sample import c2st_auc


def piece(*chords):
    return np.array(chords, np.int64)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((67, 60), (69, 62), True),  # fifths upward
        ((72, 60), (71, 59), True),  # octaves downward
        ((79, 60), (69, 62), False),  # from a twelfth to a fifth by contrary motion
        ((79, 60), (81, 62), True),  # twelfths
        ((67, 60), (67, 60), False),  # held
        ((67, 60), (72, 60), False),  # one voice moves
        ((64, 60), (65, 61), False),  # thirds
        ((67, 60), (72, 65), True),  # leaps in the same direction
        ((67, 60), (74, 62), False),  # from a fifth to an octave
        ((0, 60), (67, 62), False),  # after a rest
    ],
)
def test_parallels(before, after, expected):
    found = voices.parallels(piece(before, after))
    assert found.shape == (2, 1)
    assert found.tolist() == [[False], [expected]]


def test_crossings_of_neighbors():
    found = voices.crossings(piece((60, 62, 50), (64, 60, 50), (64, 0, 65)))
    assert found.tolist() == [[True, False], [False, False], [False, False]]


def test_chords():
    found = voices.chordal(piece((60, 64, 67, 72), (60, 64, 60, 70), (60, 62, 67, 72), (59, 62, 65, 68), (0, 0, 0, 0)))
    assert found.tolist() == [True, True, False, True, False]  # C, C7 without its fifth, none, Bdim7, silence


def test_in_scale():
    assert voices.in_scale(piece((60, 62, 64, 65), (67, 69, 71, 0))) == pytest.approx(1)
    assert voices.in_scale(np.arange(60, 72)[:, None]) == pytest.approx(7 / 12)


def test_histograms():
    p = piece((60, 48), (64, 48), (64, 47), (60, 0))
    assert voices.pitch_classes(p)[[0, 4, 11]].tolist() == pytest.approx([4 / 7, 2 / 7, 1 / 7])
    assert voices.leaps(p)[[1, 4]].tolist() == pytest.approx([1 / 3, 2 / 3])
    assert voices.intervals(p)[[0, 4, 5]].tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3])


def test_cadences():
    dominant, tonic = (74, 71, 67, 55), (72, 67, 64, 48)
    assert voices.cadences(piece(dominant, dominant, *[tonic] * 4), 4) == 1
    assert voices.cadences(piece(dominant, dominant, *[tonic] * 3), 4) == 0  # too short
    assert voices.cadences(piece(tonic, tonic, *[dominant] * 4), 4) == 0  # the bass rises a fifth


def test_self_similarity():
    bar, other = np.full((4, 2), 60), np.full((4, 2), 50)
    assert voices.self_similarity(np.concatenate([bar, other, bar]), 4) == pytest.approx(1 / 3)


def test_copies_in_any_transposition():
    random = np.random.default_rng(0)
    train = random.integers(40, 80, (100, 4))
    assert voices.copied([train[10:40] + 3], [train], 8) == 1
    assert voices.copied([random.integers(40, 80, (30, 4))], [train], 8) == 0
    assert voices.copied([np.concatenate([train[:8] - 1, random.integers(40, 80, (8, 4))])], [train], 8, 8) == 0.5


def test_a_classifier_tells_what_differs(monkeypatch):
    monkeypatch.setattr("sparring.metrics.two_sample.STEPS", 60)
    random = torch.Generator().manual_seed(0)
    a, b, c, d = torch.rand(4, 100, 3, 16, generator=random)
    assert 0.35 < c2st_auc((a, b), (c, d)) < 0.65
    assert c2st_auc((a, b), (c + 0.5, d + 0.5)) > 0.95
