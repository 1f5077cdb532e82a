"""A matcher: nets that learn from real items which parts belong together, and what columns of a row say of a part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.data.tensors import Tensors
from sparring.games.joint import contrast
from sparring.nets import dcgan, mlp

if TYPE_CHECKING:
    from sparring.modalities.joint.joint import Joint
    from sparring.modalities.joint.parts import Part

STEPS = 500
BATCH = 64
WIDTH = 16  # channels of the convolutions
HIDDEN = 128
VECTOR = 64
CHUNK = 256


class Reader(nn.Module):
    """Items of a part -> their vector (n, 64), and logits of the codes of all columns (n, places).

    Pictures are seen by convolutions, all other parts as their kind of data compares them.

    Args:
        part: what is read.
        typical: items of the part, by which values are standardized.
        places: number of codes of all columns; 0 if columns are not read off this part.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, part: Part, typical: Tensor, places: int) -> None:
        super().__init__()
        self.part = part
        picture = part.modality.classifier_input
        seen = self._seen(typical).float()
        if picture is not None:
            channels, size, _ = picture
            self.body: nn.Module = dcgan.Discriminator(size, channels, WIDTH, "batch")
            self.register_buffer("mean", torch.zeros(1))
            self.register_buffer("deviation", torch.ones(1))
        else:
            self.body = mlp.Discriminator(seen.shape[1:], (HIDDEN, HIDDEN))
            self.register_buffer("mean", seen.mean(0))
            self.register_buffer("deviation", seen.std(0) + 0.1 * seen.std() + 1e-6)
        length = int(self.body.length)
        self.vector = nn.Linear(length, VECTOR)
        self.columns = nn.Linear(length, places) if places else None

    def _seen(self, values: Tensor) -> Tensor:
        if self.part.modality.classifier_input is not None:
            return values
        return self.part.modality.comparable(self.part.own(values)).flatten(1)

    def forward(self, values: Tensor) -> tuple[Tensor, Tensor | None]:
        h = self.body.features((self._seen(values).float() - self.mean) / self.deviation)  # type: ignore[operator]
        return self.vector(h), None if self.columns is None else self.columns(h)


class Matcher:
    """Readers of all parts, trained on real items.

    Args:
        joint: the fitted kind of data.
        tensors: encoded real items.
        rows: of the items that are trained on.
    """

    def __init__(self, joint: Joint, tensors: Tensors, rows: Tensor) -> None:
        self.joint = joint
        row = joint.row
        self.widths = [] if row is None else list(row.table.widths)
        self.numbers = [] if row is None else [owner for owner, _ in row.table.scalars]
        with torch.random.fork_rng():
            torch.manual_seed(0)
            typical = self.split(tensors, rows[:1000])
            places = [0 if part is row else sum(self.widths) for part in joint.parts]
            self.readers = [Reader(*one) for one in zip(joint.parts, typical, places, strict=True)]
            self._train(tensors, rows)

    def split(self, tensors: Tensors, rows: Tensor) -> list[Tensor]:
        """Values of some real items by part, (n, *shape) each."""
        return self.joint.layout.split(self.joint.scale(tensors["values"][rows]))

    def _train(self, tensors: Tensors, rows: Tensor) -> None:
        weights = [weight for reader in self.readers for weight in reader.parameters()]
        adam = torch.optim.Adam(weights, lr=2e-3)
        rate = torch.optim.lr_scheduler.OneCycleLR(adam, 2e-3, total_steps=STEPS)
        for reader in self.readers:
            reader.train()
        for _ in range(STEPS):
            drawn = rows[torch.randint(len(rows), (min(BATCH, len(rows)),))]
            present = tensors["present"][drawn].float()
            values = self.split(tensors, drawn)
            read = [reader(own) for reader, own in zip(self.readers, values, strict=True)]
            loss = contrast([vector for vector, _ in read], present)
            if self.widths:
                loss = loss + self._column_loss([logits for _, logits in read], values, present)
            adam.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            adam.step()
            rate.step()
        for reader in self.readers:
            reader.eval()

    def _column_loss(self, logits: Sequence[Tensor | None], values: Sequence[Tensor], present: Tensor) -> Tensor:
        """Mean cross-entropy of the columns of rows, read off the other parts."""
        place = self.row_place
        codes = self.codes(values[place])
        losses = []
        for i, own in enumerate(logits):
            if own is None:
                continue
            both = present[:, i] * present[:, place]
            each = [
                F.cross_entropy(part, column, reduction="none")
                for part, column in zip(torch.split(own, self.widths, 1), codes.unbind(1), strict=True)
            ]
            losses.append((torch.stack(each).mean(0) * both).sum() / both.sum().clamp(min=1))
        return torch.stack(losses).mean()

    @property
    def row_place(self) -> int:
        """Place of the row among the parts."""
        row = self.joint.row
        assert row is not None
        return self.joint.parts.index(row)

    def codes(self, rows: Tensor) -> Tensor:
        """Codes of the columns of rows (n, width), int64 (n, columns)."""
        row = self.joint.row
        assert row is not None
        return row.table.unscale(rows)[:, : len(self.widths)].long()

    @torch.no_grad()
    def read(self, values: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Unit vectors of each part, (n, 64), and the codes of the columns as each part shows them, (n, columns).

        Args:
            values: of each part, (n, *shape).
        """
        vectors: list[Tensor] = []
        codes: list[Tensor] = []
        for reader, own in zip(self.readers, values, strict=True):
            read = [reader(chunk) for chunk in torch.split(own, CHUNK)]
            vectors.append(F.normalize(torch.cat([vector for vector, _ in read]), dim=1))
            if reader.columns is None and self.widths:
                codes.append(self.codes(own))
            elif self.widths:
                logits = torch.cat([found for _, found in read if found is not None])
                codes.append(torch.stack([part.argmax(1) for part in torch.split(logits, self.widths, 1)], 1))
        return vectors, codes

    def agree(self, one: Tensor, other: Tensor) -> Tensor:
        """True where two codes are the same, (n, columns); those of numbers may be one apart."""
        allowed = torch.tensor([int(i in self.numbers) for i in range(len(self.widths))])
        return (one - other).abs() <= allowed
