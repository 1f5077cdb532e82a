"""Nets of items that consist of several parts: trunks with a head for each part, and a judge of all parts together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations
from math import inf

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.layers.parts import Given, Parts, joined
from sparring.nets.choices import Choices
from sparring.nets.discriminator import Discriminator as Base
from sparring.nets.table import Block
from sparring.nets.table import Generator as RowGenerator

EMBEDDING = 128  # length of the vector of a part by which parts are compared
CODE = 0.1  # standard deviation of a picture's code for each field of the other parts; that of own latents is 1
ALONE = 0.3  # share of the rows that are learned without other parts where none are given


class Unasked(Choices):
    """A generator of rows of which nothing is requested: latents (n, latents) -> rows.

    Args:
        G: latents, requested codes (n, columns) -> rows.
        columns: number of columns.
    """

    stage = 0

    def __init__(self, G: RowGenerator, columns: int) -> None:
        super().__init__()
        self.G, self.columns = G, columns

    def forward(self, z: Tensor) -> Tensor:
        row: Tensor = self.G(z, self._free(z))
        return row

    def _free(self, z: Tensor) -> Tensor:
        return torch.full((z.shape[0], self.columns), -1, device=z.device)

    def drawn(self, z: Tensor) -> Tensor:
        row: Tensor = self(z)
        choices, numbers = torch.split(row, [self.G.spans.places, self.G.spans.width - self.G.spans.places], 1)
        return torch.cat([choices.detach(), numbers], 1) if numbers.shape[1] else choices.detach()

    def surprise(self, z: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        spans = self.G.spans
        chosen = real * (torch.arange(spans.width, device=real.device) < spans.places)
        shares = spans.softmax(self.G.logits(z, self._free(z)).float()[:, : spans.places])
        cost = F.pad(-(shares + 1e-9).log(), (0, spans.width - spans.places))
        return cost * chosen, chosen


class UnaskedDiscriminator(Base):
    """A discriminator of rows of which nothing was requested. Its features are those of D and the row itself, so that a
    vector of its features has a linear term in the row.

    Args:
        D: rows, requested codes (n, columns) -> logits.
        columns: number of columns.
        width: length of a row.
    """

    def __init__(self, D: Base, columns: int, width: int) -> None:
        super().__init__()
        self.D, self.columns, self.length = D, columns, D.length + width

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        h = self.D.features(x, torch.full((x.shape[0], self.columns), -1, device=x.device))
        return torch.cat([h, x], 1)

    def judge(self, h: Tensor, label: Tensor | None = None) -> Tensor | Sequence[Tensor]:
        return self.D.judge(h[:, : self.D.length], label)


class Viewed(Base):
    """A discriminator of what a fixed transformation shows of samples.

    Args:
        view: samples -> what D sees.
        D: the discriminator.
    """

    def __init__(self, view: nn.Module, D: Base) -> None:
        super().__init__()
        self.view, self.D, self.length = view, D, D.length

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        return self.D.features(self.view(x), label)

    def judge(self, h: Tensor, label: Tensor | None = None) -> Tensor | Sequence[Tensor]:
        return self.D.judge(h, label)


def _first_logit(logits: Tensor | Sequence[Tensor]) -> Tensor:
    """One logit of each sample, (n,): the mean of several."""
    each = [logits] if isinstance(logits, Tensor) else list(logits)
    return torch.stack([own.flatten(1).mean(1) if own.ndim > 1 else own for own in each]).mean(0)


class Encoder(nn.Module):
    """Items of a part (n, *shape) -> vectors (n, length), by the features and the logit of a net that judges such
    items.

    Args:
        body: the net.
        length: of a vector.
    """

    def __init__(self, body: Base, length: int) -> None:
        super().__init__()
        self.body, self.head = body, nn.Linear(body.length + 1, length)

    def forward(self, x: Tensor) -> Tensor:
        h = self.body.features(x)
        logit = _first_logit(self.body.judge(h))
        code: Tensor = self.head(torch.cat([h, logit[:, None]], 1))
        return code


class Trunk(nn.Module):
    """Vectors (n, inputs) -> (n, width + inputs): the output of residual blocks, and the vectors themselves, so that
    what is given also reaches the heads directly.

    Args:
        inputs: length of a vector.
        width, depth: width of the layers, and number of residual blocks.
    """

    def __init__(self, inputs: int, width: int, depth: int) -> None:
        super().__init__()
        blocks = [Block(width, norm=True) for _ in range(depth)]
        self.body = nn.Sequential(nn.Linear(inputs, width), *blocks, nn.LeakyReLU(0.2))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.body(x), x], 1)


def stages(heads: Sequence[nn.Module]) -> list[list[int]]:
    """Parts in the order in which they are made, by the indices of their heads: rows, texts, all others. What is chosen
    from few values is chosen first, and the others show it.
    """
    each: dict[float, list[int]] = defaultdict(list)
    for i, head in enumerate(heads):
        each[head.stage if isinstance(head, Choices) else inf].append(i)
    return [each[stage] for stage in sorted(each)]


class Scaled(nn.Module):
    """Tensors times a factor."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return x * self.factor


def _norm(head: nn.Module, code: int, others: int) -> list[nn.Module]:
    """Normalization of the code from which a head makes its part: over the batch, but for rows and texts, which have
    noise in every value.

    If the mean of a picture's code is not 0, the first layer of its generator turns it into a fixed pattern. The batch
    norm behind that layer counts a pattern as variance, the differences between samples get small, and G collapses.
    The code is small compared with a picture's own latents if few fields tell of the picture: those of a class would
    otherwise become alike. Many fields leave little that the own latents could tell.

    Args:
        code: length of a code.
        others: fields of the other parts.
    """
    if isinstance(head, Choices):
        return [nn.LayerNorm(code)]
    return [nn.BatchNorm1d(code, affine=False), Scaled(min(1.0, CODE * others))]


class Generator(nn.Module):
    """Latents (n, z for each trunk + own latents of the heads) and what is given (n, condition_width) -> items (n,
    width).

    Parts are made stage by stage. A trunk sees latents, the encoded given fields, and the parts of earlier stages as if
    they were given, and each head makes its part from the trunk's code. Given fields are in the item as they were
    given, and parts that the condition lacks are 0.

    Args:
        parts: the layout of an item.
        z: length of the latents of a trunk.
        heads: for each part, a generator: (n, code + own latents) -> (n, *shape).
        own: for each head, the number of its own latents.
        encoders: for each part: (n, *shape) -> (n, EMBEDDING).
        code: length of a code.
        width, depth: as for `Trunk`.
        stages: the parts that are made together, by their indices.
        apart: True for a trunk, with latents of its own, for each stage instead of one for all.
    """

    def __init__(
        self, parts: Parts, z: int, heads: Sequence[nn.Module], own: Sequence[int], encoders: Sequence[nn.Module],
        code: int, width: int, depth: int, stages: Sequence[Sequence[int]], apart: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.parts, self.own, self.stages = parts, list(own), stages
        self.heads, self.encoders = nn.ModuleList(heads), nn.ModuleList(encoders)
        inputs, trunks = z + sum(parts.fields) + EMBEDDING * len(self.heads), len(stages) if apart else 1
        self.latents = [*[z] * trunks, *self.own]
        self.trunks = nn.ModuleList(Trunk(inputs, width, depth) for _ in range(trunks))
        self.ends = nn.ModuleList(
            nn.Sequential(nn.Linear(width + inputs, code), *_norm(head, code, sum(parts.fields) - own_fields))
            for head, own_fields in zip(heads, parts.fields, strict=True)
        )
        self.rows = [i for i in stages[0] if parts.owners[i]]
        for i, owner in enumerate(torch.split(parts.field_of_values(), parts.widths)):
            self.register_buffer(f"owner{i}", owner - owner.min(), persistent=False)

    def forward(self, z: Tensor, condition: Tensor, encoded: Sequence[Tensor] | None = None) -> Tensor:
        """Items (n, width).

        Args:
            encoded: the vectors of the items' parts, if they are known: given parts of one field are not encoded again.
        """
        given = self.parts.given(condition)
        present = torch.split(given.present, 1, 1)
        values, known = self.parts.split(given.values), self._known(given)
        vectors = [self._vector(i, values[i], known[i], encoded) for i in range(len(self.heads))]
        there, made = list(known), dict[int, Tensor]()
        for k, stage in enumerate(self.stages):
            h = self._trunk(k, z, there, vectors)
            for i in stage:
                own = self.heads[i](self._code(i, h, z))
                fixed = self.per_value(i, known[i]).view(own.shape) > 0
                made[i] = torch.where(fixed, values[i], own) * present[i].view(-1, *[1] * (own.ndim - 1))
            if k + 1 < len(self.stages):
                for i in stage:
                    vectors[i] = self.encoders[i](made[i]) * present[i]
                    there[i] = present[i].expand_as(there[i])
        return joined([made[i] for i in range(len(self.heads))])

    def encoded(self, values: Tensor) -> list[Tensor]:
        """Items (n, width) as a vector of each part, (n, EMBEDDING)."""
        return [encoder(part) for encoder, part in zip(self.encoders, self.parts.split(values), strict=True)]

    def code_given_others(
        self, i: int, z: Tensor, condition: Tensor, encoded: Sequence[Tensor], real: Tensor
    ) -> tuple[Tensor, Tensor]:
        """What the head of a part makes it from if other parts are given, (n, code + own latents), and 1 for the fields
        that it has to find, (n, fields).

        Given are the parts of earlier stages, and the other parts that the condition gives as a whole, or all of them
        for an item of which it gives none. Fields of the part itself are given as in the condition, unless all are. A
        share of the rows of which no other part is given is learned alone, given random columns, as `with_rows` draws
        them.

        Args:
            encoded: the vectors of the items' parts.
            real: the part itself, (n, *shape).
        """
        given = self.parts.given(condition)
        present, known = torch.split(given.present, 1, 1), self._known(given)
        stage = next(k for k, parts in enumerate(self.stages) if i in parts)
        whole = [fields.amin(1, keepdim=True) for fields in known]
        none = 1 - torch.cat([fields for j, fields in enumerate(whole) if j != i], 1).amax(1, keepdim=True)
        alone = none * (torch.rand_like(none) < ALONE) * float(i in self.rows)
        none = none - alone
        earlier = {j for parts in self.stages[:stage] for j in parts}
        seen = [
            (here if j in earlier else torch.maximum(own, none * here)).expand_as(fields)
            for j, (fields, own, here) in enumerate(zip(known, whole, present, strict=True))
        ]
        seen[i] = known[i] * (1 - whole[i])
        vectors = [vector * fields[:, :1] for vector, fields in zip(encoded, seen, strict=True)]
        if known[i].shape[1] > 1:  # otherwise nothing of the part is given
            some = (torch.rand_like(known[i]) < torch.rand_like(none)) * present[i]
            seen[i] = torch.where(alone > 0, some, seen[i])
            vectors[i] = self._vector(i, real * self.per_value(i, seen[i]).view(real.shape), seen[i], None)
        return self._code(i, self._trunk(stage, z, seen, vectors), z), present[i] - seen[i]

    def with_rows(
        self, z: Tensor, condition: Tensor, encoded: Sequence[Tensor] | None = None, draws: int | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """What is given, (n, condition_width), with all columns of rows, and the vectors of its parts, (n, EMBEDDING)
        each. Columns that are not given are drawn one after the other, given those before them and what else is given.

        Args:
            encoded: as for `forward`.
            draws: number of draws, if several columns are drawn at once to save time.
        """
        given = self.parts.given(condition)
        values, known = self.parts.split(given.values), self._known(given)
        vectors = [self._vector(i, values[i], known[i], encoded) for i in range(len(self.heads))]
        for i in self.rows:
            head = self.heads[i]
            assert isinstance(head, Choices)
            each = torch.eye(known[i].shape[1], device=z.device)
            for columns in each.chunk(draws or len(each)):
                own = head.drawn(self._code(i, self._trunk(0, z, known, vectors), z))
                free = columns.sum(0) * (1 - known[i]) * given.present[:, i : i + 1]
                values[i] = torch.where(self.per_value(i, free) > 0, own, values[i])
                known[i] = known[i] + free
                vectors[i] = self._vector(i, values[i], known[i], None)
        return self.parts.condition(torch.cat(known, 1), given.present, joined(values)), vectors

    def per_value(self, i: int, fields: Tensor) -> Tensor:
        """Fields (n, fields) of a part as one value for each of the part's, (n, values)."""
        return fields[:, self.get_buffer(f"owner{i}")]

    def _known(self, given: Given) -> list[Tensor]:
        """The given fields of each part that the items have."""
        present = torch.split(given.present, 1, 1)
        return [fields * here for fields, here in zip(self.parts.fields_of_parts(given.fields), present, strict=True)]

    def _vector(self, i: int, values: Tensor, known: Tensor, encoded: Sequence[Tensor] | None) -> Tensor:
        """The vector of a part of which some fields are given, or 0."""
        single = known.shape[1] == 1
        vector: Tensor = encoded[i] if single and encoded is not None else self.encoders[i](values)
        return vector * known.amax(1, keepdim=True)

    def _trunk(self, stage: int, z: Tensor, there: Sequence[Tensor], vectors: Sequence[Tensor]) -> Tensor:
        trunk = min(stage, len(self.trunks) - 1)
        latents = torch.split(z, self.latents, 1)[trunk]
        h: Tensor = self.trunks[trunk](torch.cat([latents, *there, *vectors], 1))
        return h

    def _code(self, i: int, h: Tensor, z: Tensor) -> Tensor:
        own = torch.split(z, self.latents, 1)[len(self.trunks) + i]
        return torch.cat([self.ends[i](h), own], 1)


class Discriminator(Base):
    """Items (n, width), what is known of them (n, condition_width) -> logits of all parts together (n,), then of each.

    The logit of all parts has the inner products of the parts' vectors as a term, as that of a class has (Miyato and
    Koyama 2018, arXiv:1802.05637).

    Args:
        parts: the layout of an item.
        judges: a discriminator of each part.
        width: of the net that judges all parts together.
        together: False to judge each part on its own only.
    """

    def __init__(self, parts: Parts, judges: Sequence[Base], width: int, together: bool = True) -> None:
        super().__init__()
        self.parts, self.judges = parts, nn.ModuleList(judges)
        self.lengths = [judge.length for judge in judges]
        self.length = sum(self.lengths)
        self.embed = nn.ModuleList(nn.Linear(length, EMBEDDING) for length in self.lengths)
        joint = nn.Sequential(
            nn.Linear(EMBEDDING * len(self.lengths), width), Block(width, norm=False), nn.LeakyReLU(0.2),
            nn.Linear(width, 1),
        )  # fmt: skip
        self.joint = joint if together else None

    def _judges(self) -> list[Base]:
        return [judge for judge in self.judges if isinstance(judge, Base)]

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        each = zip(self._judges(), self.parts.split(x), strict=True)
        return torch.cat([judge.features(part) for judge, part in each], 1)

    def embeddings(self, h: Tensor) -> list[Tensor]:
        """Features (n, length) as a vector of each part, (n, EMBEDDING)."""
        return [embed(own) for embed, own in zip(self.embed, torch.split(h, self.lengths, 1), strict=True)]

    def judge(self, h: Tensor, label: Tensor | None = None) -> list[Tensor]:
        present = h.new_ones(len(h), len(self.lengths)) if label is None else self.parts.given(label).present
        each = zip(self._judges(), torch.split(h, self.lengths, 1), strict=True)
        logits = [_first_logit(judge.judge(own)) * present[:, i] for i, (judge, own) in enumerate(each)]
        if self.joint is None:
            return logits
        vectors = [vector * present[:, i : i + 1] for i, vector in enumerate(self.embeddings(h))]
        products = torch.stack([(a * b).sum(1) for a, b in combinations(vectors, 2)]).sum(0) / EMBEDDING**0.5
        return [self.joint(F.leaky_relu(torch.cat(vectors, 1), 0.2)).squeeze(1) + products, *logits]
