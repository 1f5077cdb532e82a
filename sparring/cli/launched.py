"""Commands that processes run together which torchrun or srun has started."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sparring.errors import InputError

if TYPE_CHECKING:
    from lightning_fabric import Fabric


@contextmanager
def launched(device: str, ranks: int) -> Iterator[Fabric | None]:
    """Within this context, this process is connected to the others that a launcher has started; None if it has started
    no others. Where the input cannot be used, the first one says so.

    Args:
        device: as it is typed.
        ranks: that the user has asked for.

    Raises:
        InputError: if they contradict the launcher.
    """
    from sparring import devices
    from sparring.training.launcher import find_launcher

    launcher = find_launcher()
    launcher.check(ranks)
    if not launcher.several:
        yield None
        return
    fabric = devices.fabric(devices.resolve(device), ranks=launcher.ranks, nodes=launcher.nodes)
    fabric.launch()
    try:
        yield fabric
    except InputError:
        if launcher.rank:
            raise SystemExit(2) from None
        raise
    devices.leave(fabric)
