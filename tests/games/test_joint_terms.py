"""The terms by which the parts of an item learn to belong together."""

from types import SimpleNamespace

import torch
from torch import nn

from sparring.games.joint import Contrast, contrast
from sparring.layers.parts import Parts
from sparring.nets.joint import Discriminator


def test_contrast_prefers_own_partners():
    vectors = torch.eye(4)
    present = torch.ones(4, 2)
    assert contrast([vectors, vectors], present) < 0.01
    assert contrast([vectors, vectors.roll(1, 0)], present) > 5
    present[0, 1] = 0
    shuffled = vectors.clone()
    shuffled[0] = vectors[1]  # of an item that lacks the part, so that it is no candidate
    assert contrast([vectors, shuffled], present) < 0.01


class Net(Discriminator):
    """A discriminator whose features are the vectors of two parts."""

    def __init__(self):
        nn.Module.__init__(self)

    def embeddings(self, h):
        return list(h.chunk(2, 1))


def test_generated_parts_need_not_match_better_than_real_ones():
    parts = Parts(((1,), (1,)), ((), ()))
    apart = torch.eye(4).repeat(1, 2)  # each part is only like its own partner
    alike = apart.clone()
    alike[1] = alike[0]  # two items that cannot be told apart
    condition = parts.condition(torch.zeros(4, 2), torch.ones(4, 2), torch.zeros(4, 2))
    term = Contrast(parts, 0.5)

    def value(turn, real, fake):
        passed = SimpleNamespace(
            net=Net(), turn=turn, condition=condition,
            on_real=SimpleNamespace(features=real), on_fake=SimpleNamespace(features=fake),
        )  # fmt: skip
        return term(passed)

    both = contrast([alike[:, :4], alike[:, 4:]], torch.ones(4, 2))
    assert both > 0.3
    assert value("D", alike, apart) == both
    fake = apart.clone().requires_grad_()
    value("G", alike, fake).backward()
    assert fake.grad.abs().max() == 0
    mismatched = torch.cat([torch.eye(4), torch.eye(4).roll(1, 0)], 1)
    fake, real = mismatched.requires_grad_(), apart.clone().requires_grad_()
    value("G", real, fake).backward()
    assert fake.grad.abs().max() > 0.01
    assert real.grad is None
