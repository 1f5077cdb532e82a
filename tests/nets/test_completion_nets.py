"""Nets that generate the frames of a clip that are not given."""

import pytest
import torch

from sparring.nets.completion import Discriminator, Generator, blend


def test_backgrounds_hold_the_nearest_frame_or_fade_between_two():
    assert blend([True, True, False, False]).tolist() == [[0, 1], [0, 1]]
    assert blend([False, True]).tolist() == [[1]]
    between = blend([True, False, False, False, True])
    assert torch.allclose(between, torch.tensor([[0.75, 0.25], [0.5, 0.5], [0.25, 0.75]]))


@pytest.mark.parametrize("known", [(True, True, False, False, False), (True, False, False, True)])
def test_given_frames_are_kept_in_their_places(known):
    torch.manual_seed(0)
    G = Generator(known, 3, 2, 4, 2)
    frames = torch.rand(2, sum(known), 3, 10, 9) * 2 - 1  # sides that are no multiples of the stride
    noise = torch.randn(2, 2, 1, 1).expand(-1, -1, 10, 9)
    clips = G(torch.cat([frames.flatten(1, 2), noise], 1))
    assert clips.shape == (2, 3, len(known), 10, 9)
    assert torch.equal(clips[:, :, torch.tensor(known)].transpose(1, 2), frames)
    assert clips.abs().max() <= 1


def test_noise_changes_the_generated_frames_only():
    torch.manual_seed(0)
    G = Generator((True, False), 1, 2, 4, 1)
    given = torch.rand(1, 1, 8, 8)
    one, other = (G(torch.cat([given, torch.full((1, 2, 8, 8), value)], 1)) for value in (0.0, 2.0))
    assert torch.equal(one[:, :, 0], other[:, :, 0])
    assert (one[:, :, 1] - other[:, :, 1]).abs().max() > 1e-4


def test_D_sees_the_order_of_frames():
    """A clip whose frames are in another order has other changes, even where D would average over frames."""
    torch.manual_seed(0)
    D = Discriminator(8, 1, 4, 4)
    clip = torch.rand(1, 1, 4, 8, 8)
    assert (D(clip) - D(clip.flip(2))).abs().item() > 1e-4
    assert torch.equal(D(clip), D(clip, torch.rand(1, 5, 8, 8)))  # whatever it was generated from
