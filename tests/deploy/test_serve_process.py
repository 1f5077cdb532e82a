"""The server as a process: sockets, signals, clients that disconnect, the command line."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import httpx
import numpy as np
import pytest
from PIL import Image

KEY = "a-key-of-ours"


@pytest.fixture(scope="module")
def run(runs):
    return runs / "digits"


@contextmanager
def served(folder, *words, program=("-m", "sparring", "serve"), **environment):
    """A server process and a client."""
    (folder / "temporary").mkdir()
    settings = os.environ | {"TMPDIR": str(folder / "temporary"), "PYTHONUNBUFFERED": "1"} | environment
    command = [sys.executable, *program, *map(str, words), "--port", "0", "--device", "cpu"]
    with (folder / "printed").open("w") as printed:
        process = subprocess.Popen(command, env=settings, stdout=printed, stderr=subprocess.STDOUT)
    try:
        place = _place(process, folder / "printed")
        # New connections for each request: the server may close idle ones just when they are reused.
        with httpx.Client(base_url=place, timeout=30, limits=httpx.Limits(max_keepalive_connections=0)) as client:
            until = time.monotonic() + 30
            while client.get("/readyz").status_code != 200:
                assert time.monotonic() < until
                time.sleep(0.05)
            yield process, client
    finally:
        process.kill()
        process.wait()


def _place(process, printed):
    until = time.monotonic() + 30
    while " at http://" not in printed.read_text():
        assert process.poll() is None, printed.read_text()
        assert time.monotonic() < until
        time.sleep(0.05)
    return printed.read_text().split(" at ")[1].split()[0]


def ended(process, folder):
    """Exit status, remaining temporary files, and output of a process."""
    status = process.wait(15)
    return status, list((folder / "temporary").iterdir()), (folder / "printed").read_text()


def picture():
    file = io.BytesIO()
    Image.fromarray(np.eye(8, dtype=np.uint8) * 255).save(file, "PNG")
    return file.getvalue()


def number(client, name):
    lines = client.get("/metrics").text.splitlines()
    return float(next((line.split()[-1] for line in lines if line.startswith(name)), 0))


INVERT = {"url": "/models/digits/invert?steps=1000", "content": picture(), "headers": {"Content-Type": "image/png"}}


def test_disconnecting_clients_and_sigterm_under_load(run, tmp_path):
    with served(tmp_path, run, "--batch", 8) as (process, client):
        hung_up(client)
        answers, received, long = stopped_under_load(process, client)
        status, left, printed = ended(process, tmp_path)
    # Earlier requests are answered, later ones are refused, and the process ends with status 0.
    assert long == 200
    assert answers.count(200) > 8
    assert set(answers) <= {200, 503}
    assert 503 in received
    assert (status, left) == (0, [])
    assert "Traceback" not in printed
    assert "stopped" in printed


def hung_up(client):
    """Requests of clients that disconnect are dropped, from the queue and while they are processed."""
    began = time.monotonic()
    assert client.post(**INVERT).status_code == 200
    long = time.monotonic() - began
    place, sent = client.base_url, picture()
    head = f"POST {INVERT['url']} HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nContent-Length: {len(sent)}"
    for _ in range(8):
        with socket.create_connection((place.host, place.port)) as connection:
            connection.sendall(f"{head}\r\n\r\n".encode() + sent)
            time.sleep(0.03)
    gone = 'sparring_serve_requests_total{route="/models/{name}/invert",status="499"}'
    until = time.monotonic() + 5
    while number(client, gone) < 8:
        assert time.monotonic() < until
        time.sleep(0.02)
    assert number(client, "sparring_serve_queue") == 0
    began = time.monotonic()
    assert client.post(**INVERT).status_code == 200
    assert time.monotonic() - began < 4 * long  # not nine times as long


def stopped_under_load(process, client):
    """Stop a process while eight clients send requests and one waits for a long job: the statuses of
    their responses, those of /readyz, and that of the long job.
    """
    place, received = str(client.base_url), []

    def ask(_):
        found = []
        with httpx.Client(base_url=place, timeout=30) as mine:
            while not found or found[-1] == 200:
                try:
                    found.append(mine.post("/models/digits/samples", json={"n": 2}).status_code)
                except httpx.ConnectError:
                    break
        return found

    with ThreadPoolExecutor(9) as pool:
        sent = {name: value for name, value in INVERT.items() if name != "url"}
        long = pool.submit(httpx.post, place + INVERT["url"], timeout=30, **sent)
        while number(client, "sparring_serve_in_flight") < 2:  # one of which requests this number
            time.sleep(0.01)
        asking = [pool.submit(ask, i) for i in range(8)]
        while number(client, "sparring_serve_samples_total") < 40:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        while process.poll() is None:
            try:
                received.append(httpx.get(place + "/readyz").status_code)
            except httpx.TransportError:
                break
        return [status for one in asking for status in one.result()], received, long.result().status_code


FEW = """
import sys
from sparring.deploy.serve import Limits, serve
serve(sys.argv[1:2], port=0, device="cpu", limits=Limits(seconds=0.7, connections=6))
"""
HALF = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"


def answered(connection):
    """A complete JSON response, which may arrive in parts."""
    received = b""
    while not received.endswith(b"}"):
        part = connection.recv(1000)
        assert part, received
        received += part
    return received


def test_incomplete_heads_and_too_many_connections(run, tmp_path):
    """Idle connections are closed, active ones stay, and the number of connections is limited."""
    with served(tmp_path, run, program=("-c", FEW)) as (process, client):
        where = client.base_url.host, client.base_url.port
        with socket.create_connection(where) as busy, ExitStack() as open:
            slow = [open.enter_context(socket.create_connection(where)) for _ in range(3)]
            for i, one in enumerate(slow[:2]):  # the third sends nothing
                one.sendall((HALF + b"\r\n" if i else b"") + HALF)  # the second sends one complete request first
            assert answered(slow[1]).startswith(b"HTTP/1.1 200 ")
            until = time.monotonic() + 2
            while time.monotonic() < until:
                busy.sendall(HALF + b"\r\n")
                assert answered(busy).startswith(b"HTTP/1.1 200 ")
                time.sleep(0.1)
            for one in slow:
                one.settimeout(5)
                while one.recv(1000):
                    pass
        until = time.monotonic() + 5
        with ExitStack() as open:
            for _ in range(8):
                open.enter_context(socket.create_connection(where))
            while client.get("/models").status_code != 503:
                assert time.monotonic() < until
            assert client.get("/healthz").status_code == 200
            assert client.get("/readyz").status_code == 503
        while client.get("/models").status_code != 200:
            assert time.monotonic() < until
        process.send_signal(signal.SIGTERM)
        assert ended(process, tmp_path)[0] == 0


def test_keys_slow_clients_and_a_bounded_shutdown(run, tmp_path):
    """A key from the environment is never printed or exported. Clients that send too slowly get an error. Jobs
    that take longer than the server may take to stop are given up.
    """
    with served(tmp_path, f"mine={run}", "--seconds", "0.7", SPARRING_KEYS=KEY) as (process, client):
        assert client.get("/models").status_code == 401
        assert client.get("/models?key=" + KEY, headers={"Authorization": "Bearer wrong"}).status_code == 401
        client.headers["Authorization"] = f"Bearer {KEY}"
        assert client.get("/models").json()["models"][0]["name"] == "mine"
        assert KEY not in client.get("/metrics").text
        assert json.loads(client.get("/openapi.json").content)["info"]["title"] == "Sparring"
        place = client.base_url
        with socket.create_connection((place.host, place.port)) as connection:
            head = f"POST /models/mine/samples HTTP/1.1\r\nHost: [::1]\r\nX-API-Key: {KEY}\r\nContent-Length: 9\r\n\r\n"
            connection.sendall(head.encode() + b"{")
            connection.settimeout(10)
            assert connection.recv(100).startswith(b"HTTP/1.1 408 ")
        assert client.post("/models/mine/samples", content=bytes(17 << 20)).status_code == 413
        with ThreadPoolExecutor(1) as pool:
            url = f"{place}{INVERT['url'].replace('digits', 'mine')}"
            headers = INVERT["headers"] | dict(client.headers)
            long = pool.submit(httpx.post, url, content=INVERT["content"], headers=headers, timeout=30)
            while number(client, "sparring_serve_in_flight") < 2 and not long.done():
                time.sleep(0.01)
            began = time.monotonic()
            process.send_signal(signal.SIGINT)
            status, _, printed = ended(process, tmp_path)
            assert time.monotonic() - began < 8
            assert long.result().status_code in (200, 504)
    assert status == 0
    assert KEY not in printed


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["gone"], "there is no model in gone"),
        (["RUN", "RUN"], "there is already a model 'digits'"),
        (["RUN", "--host", "0.0.0.0"], "give a key"),
        (["RUN", "--host", "::"], "give a key"),
        (["RUN", "--port", "99999"], "--port 99999 is out of range"),
        (["RUN", "--keys", "gone.txt"], "--keys gone.txt cannot be read"),
        (["RUN", "--key", ""], "--key: a key is empty"),
        (["RUN", "--batch", "0"], "--batch 0 is out of range"),
        (["RUN", "--wait", "-1"], "--wait -1 is out of range"),
        (["RUN", "--device", "tpu"], "device 'tpu' is not on this machine"),
        ([], "Missing argument"),
    ],
)
def test_bad_input(monkeypatch, capsys, tmp_path, run, words, message):
    from sparring.cli import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["sparring", "serve", *[str(run) if word == "RUN" else word for word in words]])
    with pytest.raises(SystemExit) as end:
        main()
    printed = capsys.readouterr().err
    assert (end.value.code, printed.count("\n")) == (2, 1)
    assert message in printed


def test_a_missing_library(monkeypatch, capsys, run):
    from sparring.cli import main

    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.setattr(sys, "argv", ["sparring", "serve", str(run)])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    message = "sparring: uvicorn runs the HTTP server and is not installed; pip install 'sparring[serve]'\n"
    assert capsys.readouterr().err == message
