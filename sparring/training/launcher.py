"""Programs that start the processes of a run on one or more machines: torchrun, and Slurm's srun."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from sparring.errors import InputError
from sparring.files import describe_error

UNNAMED = "none"  # the id that torchrun gives to jobs without one


@dataclass(frozen=True)
class Launcher:
    """What the program that started this process says about it.

    Attributes:
        name: of the program; "" if the user started this process alone.
        rank: of this process, below `ranks`.
        local_rank: of this process on its machine.
        nodes: number of machines.
        job: the id of the job, in all of its processes and after every restart.
        restarted: whether the program has started the job again after a failure.
    """

    name: str = ""
    rank: int = 0
    ranks: int = 1
    local_rank: int = 0
    nodes: int = 1
    job: str = ""
    restarted: bool = False

    @property
    def several(self) -> bool:
        """True if it has started more processes than this one."""
        return self.ranks > 1

    @property
    def local_ranks(self) -> int:
        """Number of processes on each machine."""
        return self.ranks // self.nodes

    @property
    def record(self) -> str:
        """What a run records of the job that has begun it."""
        return f"{self.name} {self.job}".strip()

    def check(self, ranks: int) -> None:
        """Refuse what the processes cannot do together.

        Args:
            ranks: that the user has asked for.

        Raises:
            InputError: with the reason.
        """
        if self.several and ranks != 1:
            raise InputError(
                f"ranks={ranks} was given, but {self.name} has started the processes ({self.ranks}); leave ranks out"
            )
        if self.ranks % self.nodes:
            raise InputError(
                f"{self.name} has started {self.ranks} processes on {self.nodes} machines; start equally many on each"
            )
        if self.local_rank >= self.local_ranks:
            raise InputError(
                f"{self.name} has started more than {self.local_ranks} of its {self.ranks} processes on one of "
                f"{self.nodes} machines; start equally many on each"
            )

    def continues(self, recorded: str) -> bool:
        """True if this job has begun a run, and has been started again, perhaps with another number of processes.

        A named job of torchrun starts again on a machine that joins it, which is no restart there. In a job of Slurm,
        several commands may run one after the other.

        Args:
            recorded: the `record` of the job that has begun the run.
        """
        named = self.name == "torchrun" and self.job != UNNAMED
        return bool(self.name) and recorded == self.record and (self.restarted or named)

    @property
    def signals(self) -> tuple[int, ...]:
        """Signals after which the job is to be queued again, because its time is over soon."""
        return (signal.SIGUSR1,) if self.name == "srun" else ()

    def requeue(self) -> None:
        """Queue the job again; it goes on when its turn comes.

        Raises:
            InputError: if that is refused.
        """
        try:
            done = subprocess.run(["scontrol", "requeue", self.job], capture_output=True, text=True, check=False)
            problem = done.stderr.strip() if done.returncode else ""
        except OSError as error:
            problem = f"scontrol cannot be run ({describe_error(error)})"
        if problem:
            raise InputError(f"job {self.job} cannot be queued again: {problem}; queue it yourself, with --resume")


def find_launcher(environment: Mapping[str, str] = os.environ) -> Launcher:
    """The launcher of this process, from its environment."""

    def number(name: str) -> int:
        return int(environment.get(name, "0"))

    if "TORCHELASTIC_RUN_ID" in environment:
        return Launcher(
            "torchrun", number("RANK"), number("WORLD_SIZE"), number("LOCAL_RANK"), number("GROUP_WORLD_SIZE"),
            environment["TORCHELASTIC_RUN_ID"], number("TORCHELASTIC_RESTART_COUNT") > 0,
        )  # fmt: skip
    if "SLURM_STEP_NUM_TASKS" in environment:  # in steps only: the script of a job is no rank of it
        return Launcher(
            "srun", number("SLURM_PROCID"), number("SLURM_STEP_NUM_TASKS"), number("SLURM_LOCALID"),
            number("SLURM_STEP_NUM_NODES"), environment["SLURM_JOB_ID"], number("SLURM_RESTART_COUNT") > 0,
        )  # fmt: skip
    return Launcher()
