"""MoCoGAN's nets: a recurrent path of motion codes, a frame for each, and a D of frames beside one of clips.
Tulyakov et al. 2017, arXiv:1707.04993.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sparring.layers.condition import Condition
from sparring.nets import dcgan
from sparring.nets.discriminator import Discriminator as Base


class Generator(nn.Module):
    """Latents (n, content + t motion)[, labels (n,)] -> clips (n, channels, t, size, size) in [-1, 1].

    Args:
        content: length of the latents of a whole clip.
        motion: latents of each frame, and length of its motion code.
        size, channels: of the frames.
        width: channels of the last hidden layer.
        condition: number of classes; 0 for none.
    """

    def __init__(
        self, content: int, motion: int, size: int, channels: int, width: int, condition: Condition = 0
    ) -> None:
        super().__init__()
        self.content, self.motion = content, motion
        self.step = nn.GRUCell(motion, motion)
        self.frame = dcgan.Generator(content + motion, size, channels, width, condition)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        content, noise = z[:, : self.content], z[:, self.content :].reshape(z.shape[0], -1, self.motion)
        n, t, _ = noise.shape
        path = [torch.zeros_like(noise[:, 0])]
        for i in range(t):
            path.append(self.step(noise[:, i], path[-1]))
        codes = torch.stack(path[1:], 1)  # (n, t, motion)
        of_frames = torch.cat([content[:, None].expand(-1, t, -1), codes], 2).flatten(0, 1)
        labels = None if label is None else label.repeat_interleave(t)
        frames: Tensor = self.frame(of_frames, labels)
        return frames.view(n, t, *frames.shape[1:]).transpose(1, 2)


class Discriminator(Base):
    """Clips (n, channels, t, size, size) -> logits of clips (n,) and of one frame of each (n,).

    The paper's convolutions take 4 frames each and no frame twice at the ends, for clips of 16 frames. These take 3, so
    that clips have any length. While it is trained, D sees a random frame; else the middle one.

    Args:
        size, channels: of the frames.
        width: channels of the first hidden layer; each further layer has twice as many.
        frames: length of the clips.
    """

    def __init__(self, size: int, channels: int, width: int, frames: int) -> None:
        super().__init__()
        self.of_frames = dcgan.Discriminator(size, channels, width)
        layers: list[nn.Module] = []
        before = channels
        for i in range(dcgan.stages(size)):
            layers.append(nn.Conv3d(before, width, (3, 4, 4), stride=(1, 2, 2), padding=1, bias=i == 0))
            layers += [nn.BatchNorm3d(width)] if i else []
            layers.append(nn.LeakyReLU(0.2, inplace=True))
            before, width, size = width, width * 2, size // 2
        self.of_clips = nn.Sequential(*layers, nn.Flatten())
        self.clip_length = before * frames * size * size
        self.length = self.clip_length + self.of_frames.length
        self.head = nn.Linear(self.clip_length, 1)
        for module in (*self.of_clips, self.head):
            if isinstance(module, nn.Conv3d | nn.Linear):
                nn.init.normal_(module.weight, std=0.02)

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        n, _, t, *_ = x.shape
        one = torch.randint(t, (n,), device=x.device) if self.training else torch.full((n,), t // 2, device=x.device)
        frame = x[torch.arange(n, device=x.device), :, one]
        return torch.cat([self.of_clips(x), self.of_frames.features(frame)], 1)

    def judge(self, h: Tensor, label: Tensor | None = None) -> list[Tensor]:  # noqa: ARG002
        of_clip, of_frame = h[:, : self.clip_length], h[:, self.clip_length :]
        return [self.head(of_clip).squeeze(1), self.of_frames.judge(of_frame)]


class Reader(nn.Module):
    """Features of D -> logits of the classes (n, classes), from those of the clip alone."""

    def __init__(self, D: Discriminator, classes: int) -> None:
        super().__init__()
        self.length = D.clip_length
        self.layer = nn.Linear(self.length, classes)

    def forward(self, h: Tensor) -> Tensor:
        logits: Tensor = self.layer(h[:, : self.length])
        return logits
