"""The game of one G and one D."""

from functools import partial

from torch.optim import SGD
from toys import played

from sparring.games.gan import GAN
from sparring.games.prior import normal
from sparring.losses.adversarial import non_saturating, relativistic
from sparring.nets import mlp

SLOW = partial(SGD, lr=0.1)


def passes(loss):
    """Of each pass of D in a step: its number of samples, and whether it has a graph."""
    game = GAN(mlp.Generator(2, (2,), (8,)), mlp.Discriminator((2,), (8,)), loss, normal(2))
    seen = []
    judge = game.D.judge

    def noting(h, label=None):
        logits = judge(h, label)
        seen.append((len(logits), logits.requires_grad))
        return logits

    game.D.judge = noting
    next(played(game, game.players(SLOW, SLOW), 1))
    return seen


def test_real_samples_have_no_backward_pass_in_the_turn_of_G():
    """A relativistic G needs D's logits on real samples, but no gradient of them; others do not need these at all."""
    assert passes(relativistic()) == [(12, True), (6, False), (6, True)]
    assert passes(non_saturating()) == [(12, True), (6, True)]
