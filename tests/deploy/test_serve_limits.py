"""Refused requests: limits, keys, addresses, and their messages."""

import json
import math
import re
import socket
import sys
import threading
from pathlib import Path

import pytest
from serving import counted, picture, served, warmed
from starlette.testclient import TestClient

from sparring.deploy.serve.access import Attempts, Hosts
from sparring.deploy.serve.app import application
from sparring.deploy.serve.keys import Keys, bound_socket, load_keys
from sparring.deploy.serve.limits import Limits
from sparring.deploy.serve.middleware import State
from sparring.deploy.serve.served import load_all
from sparring.errors import InputError


@pytest.fixture(scope="module")
def client(models):
    with served(models, Limits(max_samples=2000, pixels=5000, body=0.05)) as client:
        warmed(client)
        yield client


JSON = {"Content-Type": "application/json"}
PNG = {"Content-Type": "image/png"}
REFUSED = [
    ("GET", "/nothing", {}, 404, "there is nothing at /nothing"),
    ("GET", "/models/digit", {}, 404, "did you mean 'digits'?"),
    ("POST", "/models/nobody/samples", {}, 404, "there is no model 'nobody'"),
    ("DELETE", "/models/digits/samples", {}, 405, "use POST"),
    ("POST", "/models/digits/samples", {"content": "{", "headers": JSON}, 400, "not JSON"),
    ("POST", "/models/digits/samples", {"content": "[" * 9000, "headers": JSON}, 400, ""),
    ("POST", "/models/digits/samples", {"content": b"\xff\xfe\x00", "headers": JSON}, 400, ""),
    ("POST", "/models/digits/samples", {"content": "n=1"}, 415, "send application/json"),
    ("POST", "/models/digits/samples", {"json": {"n": 0}}, 422, "body.n"),
    ("POST", "/models/digits/samples", {"json": {"n": "3"}}, 422, "body.n"),
    ("POST", "/models/digits/samples", {"json": {"n": 2001}}, 422, "up to 2,000"),
    ("POST", "/models/digits/samples", {"json": {"m": 1}}, 422, "body.m"),
    ("POST", "/models/digits/samples", {"json": []}, 422, "body"),
    ("POST", "/models/digits/samples", {"json": {"label": "x"}}, 422, "no label 'x'"),
    ("POST", "/models/digits/samples", {"json": {"label": "\ud800"}}, 422, ""),
    ("POST", "/models/digits/samples", {"json": {"seed": -1}}, 422, "body.seed"),
    ("POST", "/models/digits/samples", {"json": {"where": "a=1"}}, 422, "does not support where; it supports label"),
    ("POST", "/models/digits/samples", {"json": {"length": 3}}, 422, "does not support length"),
    ("POST", "/models/digits/samples", {"json": {"truncation": 0}}, 422, "body.truncation"),
    ("POST", "/models/digits/samples", {"content": '{"truncation": NaN}', "headers": JSON}, 422, "body.truncation"),
    ("POST", "/models/table/samples", {"json": {"where": ["job=q"]}}, 422, "no level 'q'"),
    ("POST", "/models/table/samples", {"json": {"where": {"job": "x" * 1001}}}, 422, "at most 1000"),
    ("POST", "/models/table/samples", {"json": {"where": ["job=x"] * 101}}, 422, "at most 100"),
    ("POST", "/models/series/samples", {"json": {"n": 1, "length": 10_001}}, 422, "up to 10,000"),
    ("POST", "/models/larger/samples", {}, 422, "/models/larger/apply"),
    ("POST", "/healthz", {"content": bytes(60_000)}, 405, "POST is not allowed for /healthz; use GET or HEAD"),
    ("PUT", "/readyz", {}, 405, "use GET or HEAD"),
    ("POST", "/models/digits/apply", {"content": picture(), "headers": PNG}, 422, "has no apply"),
    ("POST", "/models/table/invert", {"content": picture(), "headers": PNG}, 422, "has no invert"),
    ("POST", "/models/larger/apply", {"content": b"not an image", "headers": PNG}, 422, "not an image"),
    ("POST", "/models/larger/apply", {"content": picture()[:200], "headers": PNG}, 422, "damaged"),
    ("POST", "/models/larger/apply", {"content": b"", "headers": PNG}, 422, "the file is empty"),
    ("POST", "/models/larger/apply", {"content": b"", "headers": {"Content-Type": "text/html"}}, 415, "text/html"),
    ("POST", "/models/larger/apply", {"json": {}}, 415, "application/json"),
    ("POST", "/models/larger/apply", {"content": picture()}, 415, "content without a type"),
    ("POST", "/models/larger/apply", {"files": {"photo": picture()}}, 422, "a part 'photo'"),
    ("POST", "/models/larger/apply", {"files": {"mask": picture()}}, 422, "no file 'image'"),
    ("POST", "/models/larger/apply", {"files": {"image": picture(), "mask": picture()}}, 422, "fills no holes"),
    ("POST", "/models/larger/apply?reverse=1", {"content": picture(), "headers": PNG}, 422, "reverse was given"),
    ("POST", "/models/larger/apply?sharpness=2", {"content": picture(), "headers": PNG}, 422, "query.sharpness"),
    ("POST", "/models/larger/apply", {"content": picture(70, 72, 1), "headers": PNG}, 413, "72 x 70 pixels"),
    ("POST", "/models/digits/invert", {"content": picture(70, 72, 1), "headers": PNG}, 413, "72 x 70 pixels"),
    ("POST", "/models/digits/samples?n=4", {}, 422, "samples has no parameter 'n'; send it in the body"),
    ("POST", "/models/digits/invert?labels=7", {"content": picture(), "headers": PNG}, 422, "did you mean 'label'?"),
    ("POST", "/models/digits/invert?steps=1001", {"content": picture(), "headers": PNG}, 422, "query.steps"),
    ("POST", "/models/larger/apply", {"content": bytes(60_000), "headers": PNG}, 413, "0.05 MiB"),
    ("POST", "/models/larger/apply", {"content": iter([bytes(30_000)] * 2), "headers": PNG}, 413, "0.05 MiB"),
    ("POST", "/models/digits/samples", {"content": b" " * 60_000, "headers": JSON}, 413, "0.05 MiB"),
    ("POST", "/models/larger/apply",
     {"content": b"--", "headers": {"Content-Type": "multipart/form-data"}}, 400, "boundary"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "sent", "status", "message"), REFUSED, ids=[f"{r[3]} {r[1]} {r[4]}" for r in REFUSED]
)
def test_refused(client, method, path, sent, status, message):
    """With one line of JSON that gives the reason."""
    if sent.get("json") == {"label": "\ud800"}:
        sent = {"content": json.dumps(sent["json"]), "headers": JSON}
    answer = client.request(method, path, **sent)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json"), answer.text
    detail = answer.json()["detail"]
    assert message in detail
    assert "\n" not in detail
    assert len(detail) < 800
    assert "Traceback" not in detail
    if status == 405:
        assert answer.headers["allow"] == ("POST" if path.startswith("/models") else "GET, HEAD")


def test_samples_with_too_many_numbers(client, monkeypatch):
    monkeypatch.setattr("sparring.deploy.serve.served.MAX_NUMBERS", 1000)
    answer = client.post("/models/series/samples", json={"n": 6, "length": 100})  # two channels
    assert (answer.status_code, "1,200 numbers; ask for fewer" in answer.json()["detail"]) == (422, True)


def test_no_traceback_leaves_the_server(models, monkeypatch):
    monkeypatch.setattr("sparring.deploy.serve.generation.samples_as", lambda *_: 1 / 0)
    app = application({"digits": models["digits"]})
    with TestClient(app, "http://127.0.0.1", raise_server_exceptions=False) as client:
        warmed(client)
        answer = client.post("/models/digits/samples")
    assert answer.status_code == 500
    assert answer.json() == {"detail": "the server failed; its log contains the reason"}


def test_keys(models):
    keys = {"models": {"digits": models["digits"]}, "keys": Keys(["first", "second"])}
    with served(**keys) as client:
        for path in ("/healthz", "/readyz"):
            assert client.get(path).status_code in (200, 503)
        for path in ("/models", "/metrics", "/openapi.json", "/nothing"):
            answer = client.get(path)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
            for headers in ({"X-API-Key": "third"}, {"Authorization": "Bearer "}, {"Authorization": "Basic first"}):
                assert client.get(path, headers=headers).status_code == 401
        proxied = {"X-API-Key": "first", "Authorization": "Bearer of-a-proxy"}
        for headers in ({"X-API-Key": "first"}, {"Authorization": "bearer second"}, proxied):
            assert client.get("/models", headers=headers).status_code == 200
        assert client.post("/models/digits/samples", content="{", headers=JSON).status_code == 401


def test_wrong_keys_are_limited(models, monkeypatch):
    """After ten wrong keys no key of that client is checked for a while, not even the right one; others are served."""
    now = [1000.0]
    monkeypatch.setattr("sparring.deploy.serve.access.time.monotonic", lambda: now[0])
    with served({"digits": models["digits"]}, keys=Keys(["right"])) as client:
        for _ in range(20):
            assert client.get("/models").status_code == 401  # without a key, nothing is guessed
        answers = [client.get("/models", headers={"X-API-Key": f"guess{i}"}) for i in range(200)]
        assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 190
        assert answers[-1].headers["retry-after"] == "60"
        assert client.get("/models", headers={"X-API-Key": "right"}).status_code == 429
        assert client.get("/healthz").status_code == 200
        attempts = Attempts()
        for _ in range(10):
            attempts.count("one")
        assert (attempts.wait("one"), attempts.wait("other")) == (60, 0)
        now[0] += 61
        assert client.get("/models", headers={"X-API-Key": "right"}).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200), ("localhost", 200), ("LOCALHOST.:80", 200), ("[::1]:8000", 200), ("10.1.2.3", 200),
        (socket.gethostname(), 200), ("models.example.org", 200), ("a.localhost:8000", 200),
        ("evil.example", 421), ("127.0.0.1.evil.example", 421), ("localhost.evil.example:8000", 421), ("", 421),
        ("evil.example/127.0.0.1", 421), ("127.0.0.1:80:evil.example", 421), ("models.example.org.evil.example", 421),
    ],
)  # fmt: skip
def test_names_of_the_server(models, host, status):
    """A page whose name points to this machine cannot read answers (DNS rebinding); probes are answered."""
    with served({"digits": models["digits"]}, hosts=Hosts(["Models.example.org"])) as client:
        for method, path in (("GET", "/models"), ("POST", "/models/digits/samples"), ("GET", "/metrics")):
            assert client.request(method, path, headers={"Host": host}).status_code == status
        assert client.get("/healthz", headers={"Host": host}).status_code == 200
        if status == 421 and host:
            assert "--host-name NAME" in client.get("/models", headers={"Host": host}).json()["detail"]


def test_host_names():
    assert Hosts(["*"]).known("anything.example")
    assert Hosts(["::1", "0.0.0.0"]).known("localhost:1")
    with pytest.raises(InputError, match="--host-name 'http://a' is not a name"):
        Hosts(["http://a"])


def test_a_busy_server_is_alive(models):
    """Probes are answered however many connections are open; others are asked to come back."""
    state = State()
    with served({"digits": models["digits"]}, Limits(connections=3), state=state) as client:
        warmed(client)
        state.connections = lambda: 4
        busy = client.get("/models")
        assert (busy.status_code, busy.headers["retry-after"]) == (503, "1")
        assert (client.get("/healthz").status_code, client.get("/readyz").status_code) == (200, 503)
        state.connections = lambda: 3
        assert (client.get("/models").status_code, client.get("/readyz").status_code) == (200, 200)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_bodies_sent_without_a_key_are_not_read(models, path):
    """Otherwise anybody could fill the server's memory."""
    with served({"digits": models["digits"]}, Limits(body=0.01), keys=Keys(["first"])) as client:
        warmed(client)
        reads = []

        async def ask(method, headers):
            received = []

            async def receive():
                reads.append(path)
                return {"type": "http.request", "body": bytes(1000), "more_body": True}

            async def send(message):
                received.append(message)

            scope = {"type": "http", "method": method, "path": path, "headers": headers, "query_string": b""}
            await client.app(scope, receive, send)
            return received[0]["status"], dict(received[0]["headers"]).get(b"connection")

        for method in ("GET", "HEAD"):
            assert client.portal.call(ask, method, []) == (200, None)
            assert client.portal.call(ask, method, [(b"content-length", b"0")]) == (200, None)
            for headers in ([(b"content-length", b"99999999")], [(b"transfer-encoding", b"chunked")]):
                assert client.portal.call(ask, method, headers) == (200, b"close")
        assert client.portal.call(ask, "POST", [(b"content-length", b"99999999")]) == (405, b"close")
        assert not reads
        assert client.head(path).status_code == 200


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, 0, 1e300, 10**400])
@pytest.mark.parametrize("name", ["max_samples", "body", "pixels", "seconds", "queue", "batch", "wait", "connections"])
def test_limits_are_in_range(name, value):
    """Timers and counters can use them."""
    if (name, value) != ("wait", 0):
        with pytest.raises(InputError, match=f"^--{name.replace('_', '-')} .* is out of range; [^\n]*$"):
            Limits(**{name: value})


def test_sources_of_keys(tmp_path, monkeypatch):
    file = tmp_path / "keys.txt"
    file.write_text("# ours\n\nfrom-file\n")
    monkeypatch.setenv("SPARRING_KEYS", "from, environment ")
    keys = load_keys(["given"], file)
    known = ("given", "from-file", "from", "environment")
    assert all(keys.admit([(b"x-api-key", key.encode())]) for key in known)
    assert not keys.admit([(b"x-api-key", b"# ours")])
    assert not keys.admit([(b"x-api-key", b"")])
    monkeypatch.delenv("SPARRING_KEYS")
    assert load_keys().admit([])
    (tmp_path / "none.txt").write_text("# nothing\n")
    for given in ({"file": tmp_path / "none.txt"}, {"file": tmp_path / "gone.txt"}, {"given": ["se cret"]}):
        with pytest.raises(InputError, match="--key") as error:
            load_keys(**given)
        assert "se cret" not in str(error.value)


def test_addresses():
    with pytest.raises(InputError, match="admits other machines"):
        bound_socket("0.0.0.0", 0, Keys())
    with pytest.raises(InputError, match="not an address"):
        bound_socket("no.such.host.invalid", 0, Keys())
    with bound_socket("localhost", 0, Keys()) as taken:
        taken.listen()
        with pytest.raises(InputError, match="cannot listen at"):
            bound_socket("localhost", taken.getsockname()[1], Keys())
    with bound_socket("0.0.0.0", 0, Keys(["k"])) as taken:
        assert taken.proto == 6  # otherwise each response waits 40 ms for an acknowledgement


def test_names(models, tmp_path):
    models["digits"].save(tmp_path / "a=b")
    models["points"].save(tmp_path / "other" / "a=b")
    assert list(load_all([str(tmp_path / "a=b"), f"c={tmp_path / 'a=b'}"], "cpu")) == ["a=b", "c"]
    with pytest.raises(InputError, match="there is already a model 'a=b'"):
        load_all([str(tmp_path / "a=b"), str(tmp_path / "other" / "a=b")], "cpu")
    with pytest.raises(InputError, match="there is no model in"):
        load_all([f"c={tmp_path / 'gone'}"], "cpu")


def test_a_stopping_server(models):
    state = State()
    with served({"ending": models["digits"]}, state=state) as client:
        warmed(client)
        assert [thread for thread in threading.enumerate() if thread.name.endswith("ending")]
        state.stopping = True
        assert client.get("/healthz").status_code == 200
        assert client.get("/readyz").status_code == 503
        refused = client.post("/models/ending/samples")
        assert (refused.status_code, refused.headers["connection"]) == (503, "close")
    assert not [thread for thread in threading.enumerate() if thread.name.endswith("ending")]


def test_metrics(models):
    with served({"digits": models["digits"]}) as client:
        warmed(client)
        client.post("/models/digits/samples", json={"n": 3})
        client.get("/models/nobody")
        client.get("/elsewhere")
        received = client.get("/metrics").text
        route = "/models/{name}/samples"
        assert counted(client, "sparring_serve_requests_total", route=route, status="200") == 1
        assert counted(client, "sparring_serve_requests_total", route="/models/{name}", status="404") == 1
        assert counted(client, "sparring_serve_requests_total", route="unknown", status="404") == 1
        assert counted(client, "sparring_serve_seconds_bucket", route=route, le="+Inf") == 1
        assert counted(client, "sparring_serve_batch_bucket", model="digits", le="4.0") == 1
        assert counted(client, "sparring_serve_in_flight") == 0
    table = (Path(__file__).parents[2] / "docs" / "serving.md").read_text()
    families = {family.name: family.type for family in client.app.state.metrics.registry.collect()}
    ours = {f"{name}_total" if kind == "counter" else name for name, kind in families.items() if "sparring" in name}
    assert set(re.findall(r"^\| `(sparring_serve_\w+)`", table, flags=re.MULTILINE)) == ours
    assert "\nprocess_resident_memory_bytes " in received or not sys.platform.startswith("linux")
    for name in ("requests_total", "seconds_bucket", "batch_bucket", "queue", "samples_total", "in_flight"):
        assert f"\nsparring_serve_{name}" in received
