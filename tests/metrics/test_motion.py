"""Motion of clips against arithmetic by hand."""

import math

import pytest
import torch

from sparring.metrics import motion


def clip(*levels):
    """A clip of frames of one brightness each, (1, 1, t, 2, 2)."""
    return torch.tensor(levels).view(1, 1, -1, 1, 1).expand(1, 1, len(levels), 2, 2)


def test_amount():
    assert motion.amount(clip(0.0, 0.5, -0.5)) == pytest.approx((0.25 + 0.5) / 2)
    assert motion.amount(clip(0.3, 0.3, 0.3)) == 0


def test_straightness():
    assert motion.straightness(clip(-1.0, 0.0, 1.0)) == 1
    assert motion.straightness(clip(-1.0, 1.0, -1.0)) == 0
    assert motion.straightness(clip(0.0, 1.0, 0.5)) == pytest.approx(0.5 / 1.5)
    assert math.isnan(motion.straightness(clip(1.0, 1.0, 1.0)))


def test_still_clips_do_not_count_for_straightness():
    both = torch.cat([clip(-1.0, 0.0, 1.0), clip(0.2, 0.2, 0.2)])
    assert motion.straightness(both) == 1


def test_drift():
    """Two clips 4 apart, whose frames are 1 from their first."""
    features = torch.tensor([[[0.0], [1.0]], [[4.0], [5.0]]])
    assert motion.drift(features) == pytest.approx(1 / 4)
    assert motion.drift(features[:, :1].expand(-1, 2, -1)) == 0


def test_shuffled_keeps_the_frames_of_each_clip():
    clips = torch.arange(2 * 3 * 5 * 4).float().view(2, 3, 5, 2, 2)
    mixed = motion.shuffled(clips, torch.Generator().manual_seed(0))
    assert not torch.equal(mixed, clips)
    assert torch.equal(mixed.sort(2).values, clips)


def test_cross_faded():
    clips = torch.cat([clip(0.0, 9.0, 9.0), clip(1.0, 9.0, 9.0)])
    assert motion.cross_faded(clips)[0, 0, :, 0, 0].tolist() == [0, 0.5, 1]
    assert motion.cross_faded(clips)[1, 0, :, 0, 0].tolist() == [1, 0.5, 0]
