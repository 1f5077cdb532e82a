"""The layout of images in memory."""

import torch

from sparring.layers.layout import channels_last
from sparring.nets import dcgan


def test_convolutions_keep_the_layout(monkeypatch):
    """Through all hidden layers of both nets, forward; results do not depend on it."""
    x = channels_last(torch.randn(2, 3, 16, 16))
    assert x.is_contiguous(memory_format=torch.channels_last)
    torch.manual_seed(0)
    G, D = dcgan.Generator(4, 16, 3, 4), dcgan.Discriminator(16, 3, 4, "none")
    kept = []
    for layer in [*G.layers, *D.layers]:
        if isinstance(layer, torch.nn.Conv2d | torch.nn.ConvTranspose2d):
            layer.register_forward_hook(
                lambda _layer, _x, y: kept.append(y.is_contiguous(memory_format=torch.channels_last))
            )
    z = torch.randn(2, 4)
    images = G(z)
    logits = D(images)
    assert all(kept[1:])  # the first one of G makes the first image
    monkeypatch.setattr(dcgan, "channels_last", lambda x: x)
    torch.testing.assert_close(G(z), images)
    torch.testing.assert_close(D(images.contiguous()), logits)
