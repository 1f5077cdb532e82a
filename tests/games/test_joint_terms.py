"""The terms by which the parts of an item learn to belong together."""

import torch

from sparring.games.joint import contrast


def test_contrast_prefers_own_partners():
    vectors = torch.eye(4)
    present = torch.ones(4, 2)
    assert contrast([vectors, vectors], present) < 0.01
    assert contrast([vectors, vectors.roll(1, 0)], present) > 5
    present[0, 1] = 0
    shuffled = vectors.clone()
    shuffled[0] = vectors[1]  # of an item that lacks the part, so that it is no candidate
    assert contrast([vectors, shuffled], present) < 0.01
