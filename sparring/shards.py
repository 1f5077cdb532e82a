"""Sums over the shards of a batch, which do not depend on how many ranks play them.

A batch is divided into shards, whose number belongs to the run; each rank plays an equal number of neighboring ones.
Numbers of floating point are not the same when they are added in another order. Therefore the numbers of shards are
always added in one binary tree: neighbors, then neighboring pairs. A rank adds the subtrees that it holds whole; the
ranks exchange these sums and add the rest of the tree, each for its own part of the numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from lightning_fabric import Fabric


BUCKET = 2**23  # numbers that are summed over ranks in one call, about: 32 MiB


class ShardBuffers(nn.Module):
    """A module whose buffers belong to a shard, such as a pool of samples of the past. Where a rank plays several
    shards, the buffers of the one that is played take the place of the others'.
    """

    def __init__(self) -> None:
        super().__init__()
        self._of_shards: list[dict[str, Tensor]] = []

    def split(self, shards: int) -> None:
        """Keep buffers for this many shards, equal at first. Nothing happens if there are so many already."""
        if len(self._of_shards) != shards:
            mine = dict(self.named_buffers(recurse=False))
            self._of_shards = [mine, *({name: b.clone() for name, b in mine.items()} for _ in range(shards - 1))]

    def use(self, shard: int) -> None:
        """Use the buffers of one of the shards."""
        for name, buffer in self._of_shards[shard].items():
            setattr(self, name, buffer)

    def of_all(self, fabric: Fabric) -> list[dict[str, Tensor]]:
        """The buffers of the shards of all ranks."""
        stacks = {name: torch.stack([own[name] for own in self._of_shards]) for name in self._of_shards[0]}
        if fabric.world_size > 1:
            gathered = {name: fabric.all_gather(stack) for name, stack in stacks.items()}
            stacks = {name: stack.flatten(0, 1) for name, stack in gathered.items() if isinstance(stack, Tensor)}
        shards = len(self._of_shards) * fabric.world_size
        return [{name: stack[shard] for name, stack in stacks.items()} for shard in range(shards)]


class Tree:
    """The tree in which the tensors of all shards are added.

    Args:
        shards: number of leaves.

    Attributes:
        nodes: level, place and tensors of the sums so far, from left to right.
    """

    def __init__(self, shards: int) -> None:
        self.shards = shards
        self.nodes: list[tuple[int, int, list[Tensor]]] = []

    def add(self, level: int, place: int, tensors: list[Tensor]) -> None:
        """Add a node to the right of those that are there; (0, i) is shard i. Tensors of nodes are overwritten."""
        while (width := -(-self.shards // 2**level)) > 1:  # nodes of this level
            if place % 2:
                if not self.nodes or self.nodes[-1][:2] != (level, place - 1):
                    break  # its neighbor belongs to another rank
                left = self.nodes.pop()[2]
                if tensors:
                    torch._foreach_add_(left, tensors)
                tensors = left
            elif place + 1 < width:
                break  # its neighbor is still to come
            level, place = level + 1, place // 2
        self.nodes.append((level, place, tensors))

    def total(self, fabric: Fabric, exact: bool) -> list[Tensor]:
        """The sums over the shards of all ranks.

        Args:
            fabric: of the ranks, each of which has added its own shards.
            exact: add in the order of the tree. Otherwise, the ranks' sums are added in the order in which the
                device's library does.
        """
        if fabric.world_size > 1 and not exact:
            while len(self.nodes) > 1:
                right = self.nodes.pop()[2]
                torch._foreach_add_(self.nodes[-1][2], right)
        mine = self.nodes[0][2]
        if fabric.world_size > 1:
            for place in buckets(mine, BUCKET):
                parts = [torch.cat([t.detach().float().flatten() for t in node[2][place]]) for node in self.nodes]
                whole = self._exchanged(parts, fabric) if exact else fabric.all_reduce(parts[0], reduce_op="sum")
                assert isinstance(whole, Tensor)
                sums = torch.split(whole, [t.numel() for t in mine[place]])
                for tensor, value in zip(mine[place], sums, strict=True):
                    tensor.detach().copy_(value.view_as(tensor))
        return mine

    def _exchanged(self, parts: Sequence[Tensor], fabric: Fabric) -> Tensor:
        """The sum over all nodes of all ranks. Each rank adds an equal part of the numbers.

        Args:
            parts: the numbers of this rank's nodes, (n,) each.
        """
        ranks, length = fabric.world_size, len(parts[0])
        share = -(-length // ranks)
        sent = torch.nn.functional.pad(torch.stack(list(parts)), (0, share * ranks - length))
        sent = sent.view(len(parts), ranks, share).transpose(0, 1).contiguous()
        nodes = [_nodes(self.shards, ranks, rank) for rank in range(ranks)]
        counts = [len(of_rank) for of_rank in nodes]
        received = sent.new_empty(sum(counts) * share)
        sizes = [count * share for count in counts], [len(parts) * share] * ranks
        torch.distributed.all_to_all_single(received, sent.flatten(), *sizes)
        tree = Tree(self.shards)
        for (level, place), numbers in zip(
            [n for of_rank in nodes for n in of_rank], torch.split(received, share), strict=True
        ):
            tree.add(level, place, [numbers])
        whole = sent.new_empty(share * ranks)
        torch.distributed.all_gather(list(torch.split(whole, share)), tree.nodes[0][2][0])
        return whole[:length]


def _nodes(shards: int, ranks: int, rank: int) -> list[tuple[int, int]]:
    """Level and place of the nodes that a rank adds by itself."""
    tree, mine = Tree(shards), shards // ranks
    for shard in range(rank * mine, (rank + 1) * mine):
        tree.add(0, shard, [])
    return [(level, place) for level, place, _ in tree.nodes]


def buckets(tensors: Sequence[Tensor], size: int) -> Iterator[slice]:
    """Places of tensors in groups of at most `size` numbers each, so that summing needs no second copy of all. A
    larger tensor is a group of its own.
    """
    begin, count = 0, 0
    for i, tensor in enumerate(tensors):
        if i > begin and count + tensor.numel() > size:
            yield slice(begin, i)
            begin, count = i, 0
        count += tensor.numel()
    if begin < len(tensors):
        yield slice(begin, len(tensors))
