"""D sees the same frames of real and of generated clips, and only these are generated."""

import pytest
import torch

from sparring.games.prior import Normal, Path, Prior, Times
from sparring.games.video import VideoGAN
from sparring.loop import Player, Round
from sparring.losses.adversarial import non_saturating
from sparring.nets import video
from sparring.recipes.base.video import places_of_clips
from sparring.seeds import Seeds

N, FRAMES, K = 5, 8, 3


def game(loop=False, classes=0):
    torch.manual_seed(0)
    G = video.Generator(4, 3, 2, FRAMES, 8, 1, 4, loop=loop, condition=classes)
    D = video.Discriminator(8, 1, 4, K, classes)
    prior = Prior(Normal("content", 4), Normal("motion", 3), Times("times", FRAMES))
    return VideoGAN(
        G, D, loss=non_saturating(), prior=prior, classes=classes, k=K, frames=FRAMES, loop=loop, later=4 * FRAMES
    )


def played(made, number=0, n=N):
    """A round whose real clips have the number of each frame as their values."""
    values = torch.arange(float(FRAMES)).view(1, 1, -1, 1, 1).expand(n, 1, FRAMES, 8, 8)
    tensors = {"values": values, "held values": values[:2], "condition": torch.arange(n) % 2}
    tensors["held condition"] = tensors["condition"][:2]
    round = Round(tensors, torch.tensor(0.5), Seeds(0), (number, 0))
    player = Player("D", made.D_losses, torch.optim.SGD(made.D.parameters(), 0.1), (made.D,))
    round.begin(player, [])
    return round


def test_real_and_generated_frames_are_equally_far_apart():
    made = game()
    for number in range(20):
        round = played(made, number)
        times, real = made._times(round), made._real(round)[:, 0, :, 0, 0]
        assert torch.equal(real, times.float())
        assert (times[:, 1:] > times[:, :-1]).all()
        assert times.min() >= 0
        assert times.max() < FRAMES
        generated = made._latents(round)[:, -K:]
        assert torch.allclose(generated.diff(dim=1), times.diff(dim=1).float(), atol=1e-5)
        assert torch.equal(made._condition(round), times.float())


def test_generated_clips_begin_at_any_time():
    """So that long clips are as good at their end as at their beginning."""
    made = game()
    begins = torch.cat([made._latents(played(made, i))[:, -K] for i in range(30)])
    assert begins.max() > 3 * FRAMES
    assert begins.min() < FRAMES


def test_loops_begin_at_any_frame():
    made = game(loop=True)
    first, seen = set(), 0
    for number in range(40):
        round = played(made, number)
        real, times = made._real(round)[:, 0, :, 0, 0], made._times(round).float()
        assert torch.equal((real[:, 1:] - real[:, :1]) % FRAMES, (times[:, 1:] - times[:, :1]) % FRAMES)
        first |= {int(x) for x in (real - times)[:, 0] % FRAMES}
        seen += len(real)
    assert first == set(range(FRAMES))


def test_only_judged_frames_are_generated():
    made = game()
    sizes = []
    made.G.frame.register_forward_hook(lambda *call: sizes.append(len(call[-1])))
    made.D_losses(played(made))
    assert sizes == [N * K]


@pytest.mark.parametrize("classes", [0, 2])
def test_held_out_clips_are_watched(classes):
    """There may be fewer of them than training clips."""
    made = game(classes=classes)
    round = played(made)
    made.D_losses(round)
    assert torch.isfinite(round.observed["D_held"])
    assert made._condition(round, "held ").shape == (2, K + bool(classes))


def test_times_of_other_lengths_and_rates():
    prior = Prior(Normal("content", 2), Times("times", 4))
    assert prior.draw(2, torch.device("cpu"))[:, 2:].tolist() == [[0, 1, 2, 3]] * 2
    assert prior.stretched(3, 0.5).draw(1, torch.device("cpu"))[:, 2:].tolist() == [[0, 0.5, 1]]
    assert prior.stretched(None, 2.0).draw(1, torch.device("cpu"))[:, 2:].tolist() == [[0, 2, 4, 6]]
    path = Prior(Path("motion", 12, 3, 0))
    assert path.stretched(7).width == 21


def test_times_are_no_direction_to_explore():
    space = game().space()
    assert space.movable.tolist() == [True] * 7 + [False] * FRAMES
    assert space.deviation[-FRAMES:].tolist() == [0] * FRAMES
    assert space.center[-FRAMES:].tolist() == list(range(FRAMES))
    a, b = (space.points(game().draw(1, torch.device("cpu")), None) for _ in range(2))
    assert torch.equal(space.between(a, b, 3)[1][:, -FRAMES:], a[:, -FRAMES:])


def test_augmentation_is_alike_in_all_frames():
    torch.manual_seed(0)
    clips = torch.rand(4, 3, 1, 16, 16).expand(4, 3, 5, 16, 16) + 0.1
    moved = places_of_clips(clips)
    assert not torch.equal(moved, clips)
    assert torch.equal(moved, moved[:, :, :1].expand_as(moved))
