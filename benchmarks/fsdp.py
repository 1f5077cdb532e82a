"""Whether weights that PyTorch's `fully_shard` divides among ranks hold a gradient of a gradient: two processes on this
machine's CPU, and the gradients of one process beside theirs.

    python benchmarks/fsdp.py --page docs/scale.md

`kept` turns off what frees the whole weights after a pass, so that each rank has all of them during a step.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor
from torch.multiprocessing.spawn import spawn

from pages import put, table

RANKS = 2
WIDTH = 16
SAMPLES = 8
Loss = Callable[[nn.Module, Tensor], Tensor]


def D_loss(D: nn.Module, x: Tensor) -> Tensor:
    loss: Tensor = D(x).square().mean()
    return loss


def two_passes(D: nn.Module, x: Tensor) -> Tensor:
    """As of real and of generated samples."""
    return D_loss(D, x) + D_loss(D, 1 - x)


def R1(D: nn.Module, x: Tensor) -> Tensor:
    x = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(D(x).sum(), x, create_graph=True)
    return slope.square().sum(1).mean()


def both(D: nn.Module, x: Tensor) -> Tensor:
    return two_passes(D, x) + R1(D, x)


def after_G(D: nn.Module, x: Tensor) -> Tensor:
    """D's losses after a turn of G, in which D's weights are frozen and its input learns."""
    weights = list(D.parameters())
    for weight in weights:
        weight.requires_grad_(False)
    fake = x.clone().requires_grad_()
    D_loss(D, fake).backward()  # type: ignore[no-untyped-call]
    assert fake.grad is not None
    reshard(D)
    for weight in weights:
        weight.requires_grad_(True)
    return two_passes(D, x)


def reshard(net: nn.Module) -> None:
    """Make the parameters of a net those that the optimizer moves."""
    for part in net.modules():
        if isinstance(part, FSDPModule):
            part.reshard()


LOSSES: dict[str, Loss] = {
    "D's loss": D_loss,
    "on two batches": two_passes,
    "the same after G's turn": after_G,
    "R1": R1,
    "all": both,
}


def build() -> nn.Sequential:
    torch.manual_seed(0)
    layers = [nn.Linear(WIDTH, WIDTH), nn.Softplus(), nn.Linear(WIDTH, WIDTH), nn.Softplus(), nn.Linear(WIDTH, 1)]
    return nn.Sequential(*layers)


def sharded(kept: bool) -> nn.Module:
    """The net whose weights are divided, layer by layer."""
    net = build()
    for part in (*(layer for layer in net if isinstance(layer, nn.Linear)), net):
        fully_shard(part, mesh=init_device_mesh("cpu", (RANKS,)), reshard_after_forward=not kept)
        part.set_reshard_after_backward(not kept)  # type: ignore[operator]
    return net


def gradients(net: nn.Module, loss: Loss, x: Tensor) -> list[Tensor]:
    loss(net, x).backward()  # type: ignore[no-untyped-call]
    reshard(net)
    found = [weight.grad for weight in net.parameters() if weight.grad is not None]
    return [grad.full_tensor() if isinstance(grad, DTensor) else grad for grad in found]


def verdict(loss: Loss, kept: bool, rank: int) -> str:
    batch = torch.randn(RANKS * SAMPLES, WIDTH, generator=torch.Generator().manual_seed(1))
    expected = gradients(build(), loss, batch)
    try:
        found = gradients(sharded(kept), loss, batch.chunk(RANKS)[rank])
    except RuntimeError as error:
        return f"fails: {str(error).splitlines()[0].partition(':')[0]}"
    if len(found) != len(expected):
        return f"wrong: {len(found)} of {len(expected)} weights have a gradient"
    apart = max(float((a - b).abs().max() / b.abs().max()) for a, b in zip(found, expected, strict=True))
    return "correct" if apart < 1e-5 else f"wrong by {apart:.0%}"


def work(rank: int, meeting: str, results: Path) -> None:
    dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=RANKS)
    rows = [[name, *(verdict(loss, kept, rank) for kept in (False, True))] for name, loss in LOSSES.items()]
    if rank == 0:
        results.write_text(json.dumps(rows))
    dist.destroy_process_group()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", type=Path, help="page whose table is written")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        spawn(work, (f"file://{folder}/meeting", Path(folder) / "rows.json"), nprocs=RANKS)
        rows = json.loads((Path(folder) / "rows.json").read_text())
    about = f"PyTorch {torch.__version__}, {RANKS} ranks on CPUs."
    lines = [about, "", *table(["gradient of", "fully_shard", "whole weights kept"], rows)]
    print("\n".join(lines))
    if asked.page:
        put(asked.page, __file__, lines)


if __name__ == "__main__":
    main()
