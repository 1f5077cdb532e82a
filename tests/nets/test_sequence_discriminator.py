"""A discriminator of sequences."""

import torch

from sparring.nets.sequence_discriminator import SequenceDiscriminator


def test_what_follows_the_end_and_the_length_of_others_do_not_count():
    torch.manual_seed(0)
    net = SequenceDiscriminator(5, 4).eval()
    codes = torch.tensor([[1, 2, 0, 0, 0, 0, 0], [3, 4, 5, 1, 2, 0, 0]])
    after = codes.clone()
    after[0, 3:6] = torch.tensor([4, 4, 2])
    logits = net(codes)
    assert torch.allclose(logits, net(after), atol=1e-6)
    assert torch.allclose(logits[0], net(codes[:1])[0], atol=1e-6)
    assert logits[0] != net(torch.tensor([[2, 1, 0, 0, 0, 0, 0]]))[0]  # the order counts


def test_short_sequences_and_classes():
    torch.manual_seed(0)
    net = SequenceDiscriminator(5, 4, (1, 7), False, classes=2)
    codes = torch.tensor([[0, 0], [1, 0]])
    assert net(codes, torch.tensor([0, 1])).shape == (2,)
    assert net(codes, torch.tensor([1, 1]))[1] != net.eval()(codes, torch.tensor([0, 0]))[1]
