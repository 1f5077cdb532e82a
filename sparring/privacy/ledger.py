"""How much of a run's privacy budget has been spent: written down before it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from sparring.errors import InputError
from sparring.files import write_json
from sparring.json_files import read_json
from sparring.privacy.guarantee import Guarantee

if TYPE_CHECKING:
    from lightning_fabric import Fabric

RESERVED_SHARE = 200  # one part of so many of the budget is reserved at a time


class Spent(TypedDict):
    """The content of the file."""

    moves: int


class Ledger:
    """Counts the moves of D, whatever becomes of them.

    Moves are reserved in the file before they are made: a run that is killed may have shown what came of them, so that
    they are spent although no checkpoint knows of them. The same holds after a rollback.

    Args:
        path: of the file; it exists from the first move on.
        guarantee: whose budget is spent.
        writes: False on ranks that leave the file to the first one.
    """

    def __init__(self, path: Path, guarantee: Guarantee, writes: bool = True) -> None:
        self.path, self.guarantee, self.writes = path, guarantee, writes
        self.moves = read_json(path, Spent)["moves"] if writes and path.is_file() else 0
        self._reserved = self.moves
        if not self.moves >= 0:
            raise InputError(f"{path} is damaged: it counts {self.moves} moves; --force starts anew")

    def share(self, fabric: Fabric, step: int) -> None:
        """Tell all ranks what the file of the first one says: another machine may have no such file, or an older one.

        Args:
            step: that the run is resumed from.

        Raises:
            InputError: on all ranks, if the record of a run that is resumed is not there.
        """
        missing = self.writes and bool(step) and not self.path.is_file()
        self.moves, missing = fabric.broadcast((self.moves, missing))
        self._reserved = self.moves
        if missing:
            raise InputError(
                f"{self.path} is missing, so nobody knows how much of the privacy budget is spent; --force starts anew"
            )

    @property
    def left(self) -> int:
        """Moves that the budget still allows."""
        return max(0, self.guarantee.moves - self.moves)

    def spend(self) -> None:
        """Count a move, before it is made.

        Raises:
            InputError: if the budget does not allow it.
        """
        if not self.left:
            raise InputError(f"the privacy budget of {self.guarantee.moves:,} moves of D is spent; train another run")
        self.moves += 1
        if self.moves > self._reserved:
            self._reserved = self.moves + self.guarantee.moves // RESERVED_SHARE
            self._write(min(self._reserved, self.guarantee.moves))

    def settle(self) -> None:
        """Release what has been reserved and not spent."""
        self._reserved = self.moves
        self._write(self.moves)

    def _write(self, moves: int) -> None:
        if self.writes:
            write_json(self.path, Spent(moves=moves))
