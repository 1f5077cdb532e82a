"""Any number of samples, drawn in parts by any number of workers on any number of machines that share a folder.

A part is a fixed range of the samples of a seed, so that what is in it does not depend on who draws it. It is written
beside its place and renamed: a part that is there is whole.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypedDict

from sparring import devices
from sparring.data.store import Progress, no_progress
from sparring.errors import InputError
from sparring.files import as_plain, check_output, create_json, write_json
from sparring.json_files import read_json
from sparring.modalities.asks import Request
from sparring.modalities.samples import Marking
from sparring.model import Model
from sparring.model.stored import identity

MANIFEST = "_manifest.json"  # readers of folders of Parquet pass over names that begin like this
AIM = 256  # parts, so that many workers have equal shares,
MAX_NUMBERS = 2**24  # but of no more numbers than this each


class Manifest(TypedDict):
    """The content of `_manifest.json`.

    Attributes:
        what: what the samples are drawn from and with.
        part: samples in each part; the last one has the rest.
        there, missing: names of parts.
    """

    what: dict[str, Any]
    part: int
    there: list[str]
    missing: list[str]


@dataclass(frozen=True)
class Worker:
    """One of several processes that draw samples.

    Attributes:
        number: from 1 to `total`.
    """

    number: int = 1
    total: int = 1

    @staticmethod
    def parse(text: str) -> Worker:
        """A worker as it is typed, such as 3/16.

        Raises:
            InputError: if there is none of this number.
        """
        first, _, second = text.partition("/")
        number, total = (int(part) if part.isascii() and part.isdigit() else 0 for part in (first, second))
        if not 1 <= number <= total:
            raise InputError(f"--worker {text} is no worker; the third of 16 is 3/16, the first is 1/16")
        return Worker(number, total)

    def __str__(self) -> str:
        return f"{self.number}/{self.total}"

    def split(self, ranks: int) -> Iterator[Worker]:
        """The processes that share the work of this one."""
        for rank in range(ranks):
            yield Worker((self.number - 1) * ranks + rank + 1, self.total * ranks)


@dataclass(frozen=True)
class Parts:
    """Samples in parts.

    Attributes:
        model: of the samples.
        n: their number.
        asked: what is asked of them, as for `Model.request`.
        out: the folder of the parts. Its suffix is that of each part; without one, a part is a folder, or a file of the
            kind's first format if it has no folders.
        seed: of the samples. Unless something is asked of them that only some satisfy, they are those of
            `Model.sample`.
        truncation: as for `Model.sample`.
        marks: names of the laws by which they are marked.
    """

    model: Model
    n: int
    asked: Mapping[str, Any]
    out: Path
    seed: int = 0
    truncation: float | None = None
    marks: tuple[str, ...] = ()

    @cached_property
    def request(self) -> Request:
        """What is asked of the samples.

        Raises:
            InputError: if they cannot be drawn, or not in parts.
        """
        if self.n < 1:
            raise InputError(f"{self.n} samples cannot be drawn; ask for at least 1")
        request = self.model.request(**self.asked)
        for rule in request.rules:
            if getattr(rule, "of_all", False):
                raise InputError(
                    f"{rule.text} is about all samples together, and parts are drawn without knowing the others; draw "
                    "them without --worker and --ranks"
                )
        return request

    @cached_property
    def size(self) -> int:
        """Samples in a part; the last one has the rest. It does not depend on the workers."""
        chunk = self.model.modality.chunk_size
        most = max(1, MAX_NUMBERS // self.model.modality.numbers_of(self.request.length))
        return -(-min(most, -(-self.n // AIM)) // chunk) * chunk

    @cached_property
    def suffix(self) -> str:
        """Of each part.

        Raises:
            InputError: if no such format can be written.
        """
        suffixes = [writer.suffix for writer in self.model.modality.writers]
        if not self.out.suffix and "" not in suffixes:
            return suffixes[0]
        return self.model.modality.writer(self.out).suffix

    @cached_property
    def what(self) -> dict[str, Any]:
        """What must be equal for all workers."""
        whole = {
            "model": identity(self.model.game.state_dict()), "n": self.n, "seed": self.seed, "suffix": self.suffix,
            "truncation": self.truncation, "asked": dict(self.asked), "mark": self.marks,
        }  # fmt: skip
        return dict(as_plain(whole))

    @property
    def count(self) -> int:
        """Number of parts."""
        return -(-self.n // self.size)

    def samples_in(self, index: int) -> int:
        """Number of samples in a part."""
        return min(self.size, self.n - index * self.size)

    def place(self, index: int) -> Path:
        """Of a part."""
        return self.out / f"part-{index:05}{self.suffix}"

    def begin(self) -> None:
        """Make the folder with its manifest, or check that the folder is one of these samples.

        Raises:
            InputError: if they cannot be drawn in parts, or the folder holds something else.
        """
        content = Manifest(what=self.what, part=self.size, there=[], missing=[])
        manifest = self.out / MANIFEST
        if not manifest.exists():
            if self.out.is_dir() and any(not path.name.startswith(".sparring-") for path in self.out.iterdir()):
                raise InputError(f"{self.out} holds other files and no {MANIFEST}; choose another folder")
            if self.out.is_file():
                raise InputError(f"{self.out} is a file, and parts are written to a folder; choose another folder")
            check_output(self.out, force=self.out.is_dir())
            create_json(manifest, content)
        found = read_json(manifest, Manifest)
        for name, value in self.what.items():
            if (other := found["what"].get(name)) != value:
                shown = "another model" if name == "model" else f"{name}={other}"
                now = "" if name == "model" else f", and {name}={value} was given"
                raise InputError(f"{self.out} holds samples of {shown}{now}; choose another folder")
        if found["part"] != self.size:
            raise InputError(
                f"{self.out} holds parts of {found['part']} samples, and this version of Sparring draws parts of "
                f"{self.size}; choose another folder"
            )
        self.update()

    def draw(self, worker: Worker, mark: Marking | None = None, progress: Progress = no_progress) -> None:
        """Draw those parts of a worker that are not there.

        Args:
            mark: marks the samples as generated.
            progress: called with the number of samples that are there, and the number of all that the worker draws.

        Raises:
            InputError: as `Model.sample` does, and if they cannot be written.
        """
        own = range(worker.number - 1, self.count, worker.total)
        done, total = 0, sum(map(self.samples_in, own))
        # Sums of several threads may differ by rounding, and several workers use the cores better.
        with devices.threads(1) if self.model.device.type == "cpu" else nullcontext():
            for index in own:
                progress(done, total)
                if not self.place(index).exists():
                    self._draw(index, mark)
                    self.update()
                done += self.samples_in(index)
        progress(done, total)

    def _draw(self, index: int, mark: Marking | None) -> None:
        chunk = self.model.modality.chunk_size
        apart = -(-self.model.most_drawn(self.size, self.request) // chunk) * chunk
        samples = self.model.sample_request(
            self.samples_in(index), self.request, self.seed, self.truncation, first=index * apart
        )
        samples.save(self.place(index), force=True, mark=mark)

    def update(self) -> Manifest:
        """Write down which parts are there. Other workers do the same at the same time: the last one to write has seen
        all of them.
        """
        while True:
            now = self._look()
            write_json(self.out / MANIFEST, now)
            if self._look() == now:
                return now

    def _look(self) -> Manifest:
        found = set(os.listdir(self.out))
        names = [self.place(index).name for index in range(self.count)]
        there, missing = [n for n in names if n in found], [n for n in names if n not in found]
        return Manifest(what=self.what, part=self.size, there=there, missing=missing)
