"""The studio as a server: who may come in, and how it ends."""

from __future__ import annotations

import hmac
import ipaddress
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sparring.devices import resolve
from sparring.errors import InputError, needs
from sparring.training.interrupts import interrupts

DEFAULT = "runs"
LARGEST = "4gb"  # of a file that is uploaded
VISITS = 200  # pages whose state is kept, those that were looked at last
OFFLINE = {  # nothing on the page is fetched from elsewhere, and nobody is told that it is used
    "GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1", "GRADIO_SSR_MODE": "False",
}  # fmt: skip


def launch(
    runs: Sequence[str | os.PathLike[str]] = (),
    host: str = "127.0.0.1",
    port: int = 7860,
    password: str = "",
    device: str = "auto",
    say: Callable[[str], None] = print,
) -> None:
    """Serve the page until Ctrl-C; then stop the trainings that it has started, whose models are written.

    Args:
        runs: folders of runs, or runs; `runs` unless given.
        host: an address of this machine; others than the loopback's need a password.
        port: where it listens.
        password: that is asked for, with any user name; "" for none.
        device: that models run on.
        say: tells the user something.

    Raises:
        InputError: where there is no such folder, the port is taken, an open address has no password, or gradio is not
            installed.
    """
    if not password and not loopback(host):
        raise InputError(
            f"--host {host} can be reached from other machines; give a --password too, or set SPARRING_PASSWORD"
        )
    if not 1 <= port <= 65_535:
        raise InputError(f"--port {port} is out of range; give one from 1 to 65535")
    places = folders(runs)
    where = str(resolve(device))
    os.environ.update(OFFLINE)
    needs("gradio", "studio", "draws the studio's page")
    with tempfile.TemporaryDirectory(prefix="sparring-studio-") as temporary:
        os.environ["GRADIO_TEMP_DIR"] = temporary
        _serve(places, host, port, password, where, Path(temporary), say)


def _serve(
    places: list[Path], host: str, port: int, password: str, device: str, folder: Path, say: Callable[[str], None]
) -> None:
    import gradio as gr

    from sparring.studio import paint
    from sparring.studio.look import CSS, theme
    from sparring.studio.page import page
    from sparring.studio.studio import Studio

    studio = Studio(places, device, folder)
    # Handed out as they are: Gradio would write one that two look at anew while it is read.
    gr.set_static_paths([studio.files])
    blocks = page(studio)
    blocks.queue(default_concurrency_limit=None)  # a model lets in one at a time; others wait for nobody
    with interrupts() as interrupted:
        try:
            blocks.launch(
                server_name=host, server_port=port, auth=_asks(password) if password else None,
                auth_message="Any user name, and the password that the studio was started with." if password else None,
                prevent_thread_lock=True, quiet=True, share=False, footer_links=["settings"], ssr_mode=False, pwa=False,
                max_file_size=LARGEST, theme=theme(), css=CSS + paint.STYLE, mcp_server=False, enable_monitoring=False,
                state_session_capacity=VISITS,
            )  # fmt: skip
        except OSError as error:
            raise InputError(f"--port {port} of {host} cannot be listened on; choose another --port") from error
        say(f"the studio is at http://{f'[{host}]' if ':' in host else host}:{port} (Ctrl-C ends it)")
        while not interrupted():
            time.sleep(0.2)
        training = [job for job in studio.jobs.running if job.state == "training"]
        if training:
            one = len(training) == 1
            what = "1 training; its model is" if one else f"{len(training)} trainings; their models are"
            say(f"stopping {what} written (Ctrl-C again to lose {'it' if one else 'them'})")
        try:
            studio.jobs.close()
        finally:
            blocks.close(verbose=False)


def _asks(password: str) -> Callable[[str, str], bool]:
    """Whether a given password is the right one; it takes as long however much of it is right."""
    return lambda _name, given: hmac.compare_digest(given.encode(), password.encode())


def loopback(host: str) -> bool:
    """Whether an address can only be reached from this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def folders(runs: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """The folders to look for runs in.

    Raises:
        InputError: where one that was given is not there.
    """
    for run in runs:
        if not Path(run).is_dir():
            raise InputError(f"there is no folder {str(run)!r}; give a folder of runs, or a run's")
    return [Path(run) for run in runs] or [Path(DEFAULT)]
