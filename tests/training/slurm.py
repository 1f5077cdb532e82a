"""A real Slurm with one node, this machine: its daemons, in a folder of their own."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PACKAGES = ("slurmctld", "slurmd", "slurm-client", "munge")  # Debian's and Ubuntu's
PROGRAMS = ("munged", "slurmctld", "slurmd", "srun", "sbatch", "scontrol")
SYSTEM = {**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"}  # where the daemons are, for users other than root
CPUS = 4  # of the node; Slurm is told not to look at how many there are
PATIENCE = 60  # seconds

# Slurm holds a job that is queued again back for as long as the credential of its last step is valid.
CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=15
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus}
PartitionName=all Nodes={host} Default=YES State=UP
"""


def install() -> str:
    """Install what is missing, as root on Debian or Ubuntu. Returns why that cannot be done; "" if all is there."""
    if not _missing():
        return ""
    if os.geteuid() or not shutil.which("apt-get"):
        return f"{', '.join(_missing())} are not installed; on Debian: apt-get install {' '.join(PACKAGES)}"
    for command in (["update"], ["install", "-y", "--no-install-recommends", *PACKAGES]):
        done = subprocess.run(
            ["apt-get", *command], env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1]
            return f"apt-get {command[0]} has failed: {last}"
    return f"{', '.join(_missing())} are in none of {', '.join(PACKAGES)}" if _missing() else ""


def _missing() -> list[str]:
    return [name for name in PROGRAMS if not shutil.which(name, path=SYSTEM["PATH"])]


class Cluster:
    """The environment of commands that talk to it."""

    def __init__(self, folder: Path) -> None:
        self.environment = {**SYSTEM, "SLURM_CONF": str(folder / "slurm.conf")}

    def ask(self, *command: str) -> subprocess.CompletedProcess[str]:
        """A command that may fail."""
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)

    def run(self, *command: str) -> str:
        """What a command prints."""
        done = self.ask(*command)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
        return done.stdout.strip()

    def job(self, number: str) -> dict[str, str]:
        """The state of a job by Slurm's names."""
        return dict(field.partition("=")[::2] for field in self.run("scontrol", "show", "job", number).split())


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Within this context, Slurm runs on this machine.

    Args:
        folder: empty, with a short path, because that of a socket may have 107 bytes.
    """
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.touch(0o600)
    key.write_bytes(os.urandom(128))
    controller, node = _free_ports(2)
    host, user = socket.gethostname().partition(".")[0], getpass.getuser()
    (folder / "slurm.conf").write_text(CONFIGURATION.format(**locals(), cpus=CPUS))
    munged = ("munged", "--foreground", f"--key-file={key}", f"--socket={folder}/munge.socket", "--force",
              f"--seed-file={folder}/munge.seed", f"--pid-file={folder}/munge.pid")  # fmt: skip
    found = Cluster(folder)
    with ExitStack() as stack:
        stack.enter_context(_daemon(munged, found.environment, folder / "munged.log"))
        _wait((folder / "munge.socket").exists)
        for command in (("slurmctld", "-D", "-c"), ("slurmd", "-D")):
            stack.enter_context(_daemon(command, found.environment, folder / f"{command[0]}.log"))
        stack.callback(found.ask, "scancel", "--user", user)  # where a test has failed
        _wait(lambda: "idle" in found.ask("sinfo", "--noheader", "--format", "%T").stdout)
        yield found


def _free_ports(number: int) -> list[int]:
    with ExitStack() as stack:
        places = [stack.enter_context(socket.socket()) for _ in range(number)]
        for place in places:
            place.bind(("localhost", 0))
        return [int(place.getsockname()[1]) for place in places]


@contextmanager
def _daemon(command: tuple[str, ...], environment: dict[str, str], log: Path) -> Iterator[None]:
    with log.open("w") as file:
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=file)
    try:
        yield
        assert process.poll() is None, f"{command[0]} has ended: {log.read_text()[-2000:]}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)


def _wait(ready) -> None:
    deadline = time.monotonic() + PATIENCE
    while not ready():
        assert time.monotonic() < deadline, "Slurm does not start"
        time.sleep(0.2)
