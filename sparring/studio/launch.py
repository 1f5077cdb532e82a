"""The studio as a server: access and shutdown."""

from __future__ import annotations

import hmac
import ipaddress
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sparring import console
from sparring.deploy.serve.access import Hosts
from sparring.devices import resolve
from sparring.errors import InputError, needs
from sparring.provenance import Mark
from sparring.studio.jobs import Jobs
from sparring.training.interrupts import interrupts

DEFAULT_FOLDER = "runs"
MAX_UPLOAD = "4gb"
MAX_SESSIONS = 200  # pages whose states are kept; the least recently used are forgotten
POLLING_INTERVAL = 0.2  # seconds between checks for Ctrl-C
OFFLINE = {  # settings of Gradio: nothing is fetched from other machines and nothing is reported
    "GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1", "GRADIO_SSR_MODE": "False",
}  # fmt: skip


def launch(
    runs: Sequence[str | os.PathLike[str]] = (),
    host: str = "127.0.0.1",
    port: int = 7860,
    password: str = "",
    device: str = "auto",
    say: Callable[[str], None] = console.say,
    trust: bool = False,
    host_names: Sequence[str] = (),
    mark: Sequence[str] = (),
    marks: str = "",
) -> None:
    """Serve the page until Ctrl-C. Then trainings that it has started are stopped, and their models written.

    Args:
        runs: folders of runs, or runs; `runs` unless given.
        host: an address of this machine; any but a loopback address needs a password.
        port: to listen on.
        password: that the page asks for, with any user name; "" for none.
        device: that models run on.
        say: receives messages for the user.
        trust: as for `sparring.load`, for all models that are selected on the page.
        host_names: names by which the page is reached besides localhost, this machine's name and addresses as numbers,
            such as the name of a proxy; "*" for any.
        mark, marks: as for `sparring.provenance.Mark.of`, for all samples that are downloaded.

    Raises:
        InputError: if a folder does not exist, the port is in use, an open address has no password, or Gradio is not
            installed.
    """
    if not password and not loopback(host):
        raise InputError(
            f"--host {host} can be reached from other machines; give a --password too, or set SPARRING_PASSWORD"
        )
    if not 1 <= port <= 65_535:
        raise InputError(f"--port {port} is out of range; give one from 1 to 65535")
    if mark:
        Mark.check(mark, marks)
    places = folders(runs)
    where, hosts = str(resolve(device)), Hosts((*host_names, host))
    os.environ.update(OFFLINE)
    needs("gradio", "studio", "draws the studio's page")
    with tempfile.TemporaryDirectory(prefix="sparring-studio-") as temporary:
        os.environ["GRADIO_TEMP_DIR"] = temporary
        _serve(places, host, port, password, hosts, where, Path(temporary), say, trust, mark, marks)


def _serve(
    places: list[Path],
    host: str,
    port: int,
    password: str,
    hosts: Hosts,
    device: str,
    folder: Path,
    say: Callable[[str], None],
    trust: bool,
    mark: Sequence[str],
    marks: str,
) -> None:
    import gradio as gr
    from starlette.middleware import Middleware

    from sparring.studio import mask_editor
    from sparring.studio.guard import Guard
    from sparring.studio.page import page
    from sparring.studio.studio import Studio
    from sparring.studio.theme import CSS, theme

    studio = Studio(places, device, folder, trust, mark, marks)
    # Served as they are: Gradio would copy a file again for a second user while the first one reads it.
    gr.set_static_paths([studio.downloads])
    blocks = page(studio)
    blocks.queue(default_concurrency_limit=None)  # each model lets one caller in; callers of other models do not wait
    with interrupts() as interrupted:
        try:
            blocks.launch(
                server_name=host, server_port=port, auth=_authentication(password) if password else None,
                auth_message="Any user name, and the password that the studio was started with." if password else None,
                prevent_thread_lock=True, quiet=True, share=False, footer_links=["settings"], ssr_mode=False, pwa=False,
                max_file_size=MAX_UPLOAD, theme=theme(), css=CSS + mask_editor.STYLE, mcp_server=False,
                enable_monitoring=False, state_session_capacity=MAX_SESSIONS,
                app_kwargs={"middleware": [Middleware(Guard, hosts=hosts)]},
            )  # fmt: skip
        except OSError as error:
            raise InputError(f"the studio cannot listen on --port {port} of {host}; choose another --port") from error
        say(f"the studio is at http://{f'[{host}]' if ':' in host else host}:{port} (Ctrl-C ends it)")
        while not interrupted():
            time.sleep(POLLING_INTERVAL)
        try:
            _stop_jobs(studio.jobs, say)
        finally:
            blocks.close(verbose=False)


def _stop_jobs(jobs: Jobs, say: Callable[[str], None]) -> None:
    """Stop all commands of the studio and wait until their models are written."""
    count = sum(job.state == "training" for job in jobs.running)
    if count:
        what, them = (
            ("1 training; its model is", "it") if count == 1 else (f"{count} trainings; their models are", "them")
        )
        say(f"stopping {what} written (Ctrl-C again to lose {them})")
    jobs.close()


def _authentication(password: str) -> Callable[[str, str], bool]:
    """A check of passwords whose duration does not depend on how much of the given one is right."""
    return lambda _name, given: hmac.compare_digest(given.encode(), password.encode())


def loopback(host: str) -> bool:
    """True if an address can only be reached from this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def folders(runs: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """The folders in which runs are looked for.

    Raises:
        InputError: if a given one does not exist.
    """
    for run in runs:
        if not Path(run).is_dir():
            raise InputError(f"there is no folder {str(run)!r}; give a folder of runs, or a run")
    return [Path(run) for run in runs] or [Path(DEFAULT_FOLDER)]
