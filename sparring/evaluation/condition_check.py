"""Whether samples show what they were asked for, if that is a row of a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import torch
from torch import Tensor

from sparring.data.store import Progress
from sparring.data.tensors import CONDITION, VALUES
from sparring.evaluation.classifier import columns_classifier
from sparring.evaluation.distance import BATCH_SIZE
from sparring.evaluation.real import Real
from sparring.layers.condition import Columns
from sparring.metrics.results import Finding, Number

NAME = "attribute_accuracy"
MIN_FOLLOWED = 0.5  # of the way from chance to real images; below it, a column is not followed
MAX_LISTED = 5  # columns that are listed


class ConditionCheck:
    """Counts how often an independent classifier sees in samples the values that they were generated for. It is trained
    on real images; others give the floor. Numbers count as seen if they are at most one code away.

    Args:
        real: images with their rows.
        columns: the condition of the images.
        rows, unseen: images that the classifier is trained on, and others.
        device: of the classifier.
    """

    def __init__(
        self, real: Real, columns: Columns, rows: Tensor, unseen: Tensor, device: torch.device, progress: Progress
    ) -> None:
        self.real, self.columns, self.unseen, self.device = real, columns, unseen, device
        self.names = real.modality.condition_columns
        self.net = columns_classifier(real, columns, rows, progress).to(device)
        self.seen: list[Tensor] = []

    @torch.no_grad()
    def add(self, values: Tensor, condition: Tensor) -> None:
        """Add a batch of samples (n, *shape) with the conditions that they were generated for, (n, width)."""
        modality = self.real.modality
        self.seen.append(self._seen(modality.scale(modality.unscale(values.to(self.device))), condition))

    def _seen(self, values: Tensor, condition: Tensor) -> Tensor:
        """True where a column is seen as it was asked for, (n, columns)."""
        logits = self.net(values)[1]
        predicted = torch.stack([part.argmax(1) for part in torch.split(logits, list(self.columns.widths), 1)], 1)
        difference = (predicted - condition[:, : len(self.names)].to(predicted)).abs()
        allowed = torch.tensor([i in self.columns.scalars for i in range(len(self.names))], device=predicted.device)
        return (difference <= allowed.long()).cpu()

    def numbers(self) -> list[Number]:
        """Shares of the samples, for each column and on average."""
        return self._numbers(torch.cat(self.seen))

    def _numbers(self, seen: Tensor) -> list[Number]:
        shares = seen.float().mean(0)
        by_column = zip(self.names, shares.tolist(), strict=True)
        mean = Number(f"{NAME}[mean]", float(shares.mean()), "high", share=True)
        return [mean, *(Number(f"{NAME}[{name}]", share, "high", share=True) for name, share in by_column)]

    @cached_property
    def floor(self) -> list[Number]:
        """The same of unseen real images."""
        with torch.no_grad():
            seen = [self._seen(x.to(self.device), condition) for x, condition in self._real(self.unseen)]
        return self._numbers(torch.cat(seen))

    @cached_property
    def chance(self) -> list[Number]:
        """The same of unseen real images and conditions of other ones: what samples reach that ignore theirs."""
        with torch.no_grad():
            seen = [self._seen(x.to(self.device), condition.roll(1, 0)) for x, condition in self._real(self.unseen)]
        return self._numbers(torch.cat(seen))

    def _real(self, rows: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        for part in torch.split(rows, BATCH_SIZE):
            batch = self.real.modality.batch(self.real.data.items(part))
            yield batch[VALUES], batch[CONDITION]

    def findings(self, numbers: Sequence[Number]) -> list[Finding]:
        """Columns that samples do not follow."""
        value, floor, chance = ({n.name: n.value for n in column} for column in (numbers, self.floor, self.chance))
        ignored = [
            f"{name} {value[key]:.0%}, real images {floor[key]:.0%}"
            for name in self.names
            if value[key := f"{NAME}[{name}]"] < chance[key] + MIN_FOLLOWED * (floor[key] - chance[key])
        ]
        if not ignored:
            return []
        more = f", and {len(ignored) - MAX_LISTED} more" if len(ignored) > MAX_LISTED else ""
        return [Finding("attributes not followed", "; ".join(ignored[:MAX_LISTED]) + more, "train longer")]


def condition_check(real: Real, n: int, device: torch.device, progress: Progress) -> ConditionCheck | None:
    """The check of samples that are generated for rows of a table; None for other samples, or if the rows of the real
    images are not known.
    """
    condition = real.modality.condition
    if not isinstance(condition, Columns) or real.modality.classifier_input is None:
        return None
    rows, unseen = real.parts(n, len(real.data.train))
    batch = real.modality.batch(real.data.items(rows[:1]))
    known = CONDITION in batch and batch[CONDITION].ndim == 2
    return ConditionCheck(real, condition, rows, unseen, device, progress) if known else None
