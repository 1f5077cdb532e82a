"""Motion in continuous time, and a D that takes frames with and without their times."""

import pytest
import torch

from sparring.nets import mocogan, video

N = 3


def generator(loop=False, condition=0, frames=8):
    torch.manual_seed(0)
    return video.Generator(6, 4, 5, frames, 8, 3, 8, loop=loop, condition=condition).eval()


def latents(times):
    torch.manual_seed(1)
    return torch.cat([torch.randn(N, 10), torch.as_tensor(times).float().expand(N, -1)], 1)


def test_frames_depend_on_their_own_time_alone():
    """So that a part of a clip, a longer clip or another rate shows the same motion."""
    G = generator()
    whole = G(latents([0, 1, 2, 3]))
    assert whole.shape == (N, 3, 4, 8, 8)
    assert torch.allclose(G(latents([2])), whole[:, :, 2:3], atol=1e-5)


def test_motion_is_continuous():
    motion = generator().motion
    z = torch.randn(N, 4)
    codes = motion(z, torch.tensor([[5.0, 5.001, 6.0]]).expand(N, -1))
    near, far = (codes[:, 1] - codes[:, 0]).norm(dim=1), (codes[:, 2] - codes[:, 0]).norm(dim=1)
    assert (near < 0.01 * far).all()


def test_loops_close_and_others_do_not():
    times = [0, 3, 8, 11, 16]
    loop = generator(loop=True)(latents(times))
    assert torch.allclose(loop[:, :, 0], loop[:, :, 2], atol=1e-4)
    assert torch.allclose(loop[:, :, 1], loop[:, :, 3], atol=1e-4)
    assert not torch.allclose(loop[:, :, 0], loop[:, :, 1], atol=1e-3)
    free = generator()(latents(times))
    assert not torch.allclose(free[:, :, 0], free[:, :, 2], atol=1e-3)


def test_content_and_motion_are_apart():
    """The motion code does not depend on the content."""
    G = generator()
    z = latents([0, 1])
    other = z.clone()
    other[:, :6] = torch.randn(N, 6)
    codes = [G.motion(x[:, 6:10], x[:, 10:]) for x in (z, other)]
    assert torch.equal(*codes)
    assert not torch.allclose(G(z), G(other))


def test_a_still_camera_has_a_background_that_motion_does_not_change():
    """Behind closed masks, all frames are the background, which depends on the content alone."""
    torch.manual_seed(0)
    G = video.Generator(6, 4, 5, 8, 8, 3, 8, still=True).eval()
    z = latents([0, 1, 2])
    open_masks = G(z)
    assert open_masks.shape == (N, 3, 3, 8, 8)
    assert not torch.allclose(open_masks[:, :, 0], open_masks[:, :, 1], atol=1e-5)
    with torch.no_grad():
        G.frame.layers[-2].bias[-1] = -50.0
    closed = G(z)
    assert torch.allclose(closed, closed[:, :, :1].expand_as(closed))
    moved, other = z.clone(), z.clone()
    moved[:, 6:10], other[:, :6] = torch.randn(N, 4), torch.randn(N, 6)
    assert torch.allclose(G(moved), closed)
    assert not torch.allclose(G(other), closed, atol=1e-3)


@pytest.mark.parametrize("size", [8, 13, 64])
@pytest.mark.parametrize("classes", [0, 2])
def test_discriminator(size, classes):
    D = video.Discriminator(size, 3, 8, 3, classes)
    x = torch.randn(N, 3, 3, size, size)
    label = torch.tensor([0, 1, 1])
    times = torch.tensor([[0.0, 2.0, 5.0]]).expand(N, -1)
    condition = torch.cat([label[:, None].float(), times], 1) if classes else times
    logits = D(x, condition)
    assert logits.shape == (N,)
    later = condition.clone()
    later[:, -3:] += 10
    assert torch.allclose(D(x, later), logits)  # only the time between frames counts
    later[:, -1] += 1
    assert not torch.allclose(D(x, later), logits)


def test_discriminator_of_whole_clips():
    """Explorers pass whole clips with their class alone."""
    D = video.Discriminator(16, 3, 8, 3, 2)
    x, label = torch.randn(N, 3, 9, 16, 16), torch.tensor([0, 1, 1])
    assert torch.equal(D.features(x, label), D.features(x[:, :, [0, 4, 8]], label))
    assert D(x, label).shape == (N,)


def test_mocogan():
    G = mocogan.Generator(5, 4, 8, 3, 8)
    z = torch.randn(N, 5 + 4 * 7)
    assert G(z).shape == (N, 3, 7, 8, 8)
    G.eval()
    shorter = G(z[:, : 5 + 4 * 3])
    assert torch.allclose(shorter, G(z)[:, :, :3], atol=1e-5)  # later noise does not change earlier frames
    D = mocogan.Discriminator(8, 3, 8, 7)
    of_clip, of_frame = D(torch.randn(N, 3, 7, 8, 8))
    assert of_clip.shape == of_frame.shape == (N,)
    assert mocogan.Reader(D, 4)(D.features(torch.randn(N, 3, 7, 8, 8))).shape == (N, 4)
