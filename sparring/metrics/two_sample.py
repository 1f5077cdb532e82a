"""A trained two-sample test on sequences: how well a classifier tells generated from real ones."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

STEPS = 300
BATCH, TEST_BATCH = 64, 256
WIDTH = 48
LEARNING_RATE = 2e-3
DECAY = 1e-2  # of the weights


class SequenceClassifier(nn.Module):
    """Sequences (n, channels, steps) -> logits (n,)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv1d(channels, WIDTH, 3, padding=1), nn.LeakyReLU(0.2)]
        for dilation in (1, 2, 4):
            layers += [nn.Conv1d(WIDTH, WIDTH, 3, padding=dilation, dilation=dilation), nn.LeakyReLU(0.2)]
        self.layers, self.dropout, self.head = nn.Sequential(*layers), nn.Dropout(0.3), nn.Linear(2 * WIDTH, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.layers(x)
        logits: Tensor = self.head(self.dropout(torch.cat([h.mean(2), h.amax(2)], 1)))
        return logits.squeeze(1)


def c2st_auc(real: tuple[Tensor, Tensor], generated: tuple[Tensor, Tensor]) -> float:
    """Area under the ROC curve of a convolutional classifier that tells real from generated sequences: 0.5 if it
    cannot, 1 if it always can. Lopez-Paz and Oquab 2017, arXiv:1610.06545.

    Args:
        real, generated: sequences (n, channels, steps) for training, and others for testing.
    """
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        net = SequenceClassifier(real[0].shape[1])
        optimizer = torch.optim.AdamW(net.parameters(), LEARNING_RATE, weight_decay=DECAY)
        for _ in range(STEPS):
            a, b = (x[torch.randint(len(x), (BATCH // 2,))].float() for x in (real[0], generated[0]))
            labels = torch.cat([torch.ones(len(a)), torch.zeros(len(b))])
            loss = F.binary_cross_entropy_with_logits(net(torch.cat([a, b])), labels)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
        net.eval()
        with torch.no_grad():
            on_real, on_generated = (_logits(net, x[1]) for x in (real, generated))
    above, equal = on_real[:, None] > on_generated, on_real[:, None] == on_generated
    return float(above.double().mean() + equal.double().mean() / 2)


def _logits(net: nn.Module, x: Tensor) -> Tensor:
    parts: tuple[Tensor, ...] = torch.split(x, TEST_BATCH)
    return torch.cat([net(part.float()) for part in parts])
