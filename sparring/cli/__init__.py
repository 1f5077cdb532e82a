"""The command line. Everything heavy is imported by the command that needs it."""

from __future__ import annotations

import importlib
import sys

import typer

from sparring.cli.app import app
from sparring.console import complain, tolerate_encodings
from sparring.errors import InputError, located, own_file

__all__ = ["app", "main"]

# In the order in which the help lists their commands.
MODULES = (
    "train_and_sample", "inspect_data", "shards", "evaluate_and_compare", "audit", "explore", "studio",
    "apply_and_augment", "deploy", "tune", "share", "provenance", "doctor",
)  # fmt: skip
for module in MODULES:
    importlib.import_module(f"{__name__}.{module}")


def main() -> None:
    """Run a command. Input that cannot be used is one line and exit status 2."""
    tolerate_encodings()
    try:
        sys.exit(app(standalone_mode=False) or 0)
    except (InputError, typer.TyperException) as error:
        message = error.format_message() if isinstance(error, typer.TyperException) else str(error)
        if message:  # an empty one has shown the help
            complain(message)
        sys.exit(2)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        complain(f"{place}{(error.strerror or str(error)).lower()}")
        sys.exit(2)
    except Exception as error:
        message = _explained(error)
        if not message:
            raise
        complain(message)
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        complain("stopped")
        sys.exit(130)


def _explained(error: Exception) -> str:
    """One line on an error that the user can do something about; "" for one of Sparring's own."""
    if file := own_file(error):
        return located(error, file)
    if isinstance(error, MemoryError | RuntimeError):
        from sparring.memory import is_shortage  # imports PyTorch

        if is_shortage(error):
            return "this needs more memory than there is; give smaller values of size, batch or n"
    return ""
