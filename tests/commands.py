"""Commands as a user types them, run in this process."""

from __future__ import annotations

import shlex
import sys

import pytest

from sparring.cli import main


def command(monkeypatch, capsys, line):
    """Exit status of `sparring LINE`, and the lines of its errors."""
    monkeypatch.setattr(sys, "argv", ["sparring", *shlex.split(str(line))])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code, capsys.readouterr().err.strip().splitlines()
