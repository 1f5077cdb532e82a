"""The dashboard, the rules and the scrape configuration, before a real Prometheus with a training and a server."""

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager, suppress
from math import isfinite
from pathlib import Path

import pytest

import sparring

MONITORING = Path(__file__).parents[1] / "monitoring"
DASHBOARD = json.loads((MONITORING / "sparring.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
VARIABLES = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
WAIT = 60.0  # seconds within which each query must have data

needs_prometheus = pytest.mark.skipif(
    not (shutil.which("prometheus") and shutil.which("promtool")), reason="Prometheus is not installed"
)


def dashboard_queries():
    """Every query by the panel's title, for all jobs, runs and servers."""
    for panel in PANELS:
        for target in panel["targets"]:
            expr = target["expr"].replace("$__rate_interval", "10s")
            for name in VARIABLES:
                expr = expr.replace(f"${name}", ".*")
            yield f"{panel['title']}: {expr}", expr


def rule_queries():
    """What each alert compares with its limit: an alert itself has no data while all is well."""
    text = (MONITORING / "rules.yml").read_text()
    for name, expr in re.findall(r"- alert: (\w+)\n +expr: (?:\|\n)?(.*?)\n +for:", text, flags=re.DOTALL):
        compared, sign, limit = re.fullmatch(r"(.*) ([<>]) ([\d.]+)\s*", expr, flags=re.DOTALL).groups()
        assert (sign, float(limit) >= 0) in (("<", True), (">", True))
        yield f"{name}: {compared}", " ".join(compared.split())


def variable_queries():
    """The series that hold the values of each variable."""
    for name, variable in VARIABLES.items():
        if variable["type"] == "query":
            metric = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])[1]
            yield f"${name}", metric.replace("$job", ".*")


def test_dashboard_is_whole():
    """Nothing overlaps or is named twice, and all that is referred to is there."""
    assert DASHBOARD["schemaVersion"] >= 39
    assert [row["title"] for row in DASHBOARD["panels"] if row["type"] == "row"] == ["Training", "Serving"]
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    taken = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + i, place["y"] + j) for i in range(place["w"]) for j in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert all(x < 24 for x, _ in cells), panel["title"]
        taken |= cells
    for panel in PANELS:
        assert panel["description"]
        assert {target["refId"] for target in panel["targets"]} == set("ABCDEF"[: len(panel["targets"])])
        for target in panel["targets"]:
            assert target["datasource"] == panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            used = set(re.findall(r"\$(\w+)", target["expr"])) - {"__rate_interval"}
            assert used <= VARIABLES.keys() - {"datasource"}, target["expr"]
            assert "=~" in target["expr"], "a panel must heed what is chosen"


@needs_prometheus
def test_configuration_and_rules():
    """The rules fire when they should and not when they should not: monitoring/rules_test.yml."""
    for words in ("check config prometheus.yml", "check rules rules.yml", "test rules rules_test.yml"):
        done = subprocess.run(["promtool", *words.split()], cwd=MONITORING, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextmanager
def started(*words, cwd, log):
    """A process that is ended by Ctrl-C, well."""
    with log.open("w") as output:
        process = subprocess.Popen([str(word) for word in words], cwd=cwd, stdout=output, stderr=output)
        try:
            yield process
            process.send_signal(signal.SIGINT)
            assert process.wait(20) == 0, log.read_text()
        finally:
            process.kill()
            process.wait()


def asked(url, body=None):
    """The answer's body."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"} if body else {})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return answer.read()


def has_data(prometheus, expr):
    """Whether a query gives any number."""
    try:
        found = json.loads(asked(f"{prometheus}/api/v1/query?{urllib.parse.urlencode({'query': expr})}"))
    except urllib.error.HTTPError as error:
        pytest.fail(f"{expr}: {error.read().decode()}")
    return any(isfinite(float(sample["value"][1])) for sample in found["data"]["result"])


@contextmanager
def kept_busy(server, model):
    """Samples are asked of a server all the while, and sometimes what there is not."""
    over = threading.Event()

    def ask():
        while not over.wait(0.1):
            for name in (model, "nothing"):
                with suppress(OSError):
                    asked(f"{server}/models/{name}/samples", b'{"n": 2, "seed": 1}')

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield
    finally:
        over.set()
        asking.join()


@pytest.fixture
def scene(tmp_path):
    """Prometheus, with the repository's configuration but for targets and interval, a training and a server."""
    shutil.copytree(MONITORING, tmp_path / "monitoring")
    ports = {"trainings": free_port(), "servers": free_port()}
    for name, port in ports.items():
        (tmp_path / "monitoring" / f"{name}.yml").write_text(f'- targets: ["127.0.0.1:{port}"]\n')
    config = tmp_path / "monitoring" / "prometheus.yml"
    quick = re.sub(r"(scrape|evaluation)_interval: \d+s", r"\1_interval: 1s", config.read_text())
    config.write_text(quick)
    toy = {"batch": 256, "G": (64,), "D": (64,)}
    sparring.train("gan", "digits", out=tmp_path / "served", steps=2, quiet=True, **toy)
    command = [sys.executable, "-m", "sparring"]
    train = (
        *command, "train", "digits", "--recipe", "gan", "--steps", 40_000, "--time", "1h", "--out", "watched",
        "--metrics", ports["trainings"], "augment=ada", *(f"{name}={value}" for name, value in toy.items()),
    )  # fmt: skip
    serve = (*command, "serve", "served", "--port", ports["servers"])
    port = free_port()
    prometheus = (
        "prometheus", "--config.file", config, f"--web.listen-address=127.0.0.1:{port}",
        "--storage.tsdb.path", tmp_path / "series", "--log.level=error",
    )  # fmt: skip
    with (
        started(*train, cwd=tmp_path, log=tmp_path / "train.log"),
        started(*serve, cwd=tmp_path, log=tmp_path / "serve.log"),
        started(*prometheus, cwd=tmp_path, log=tmp_path / "prometheus.log"),
        kept_busy(f"http://127.0.0.1:{ports['servers']}", "served"),
    ):
        yield f"http://127.0.0.1:{port}"


@needs_prometheus
def test_every_query_has_data(scene, tmp_path):
    waiting = dict([*dashboard_queries(), *rule_queries(), *variable_queries()])
    assert len(waiting) > 30
    end = time.monotonic() + WAIT
    while waiting and time.monotonic() < end:
        time.sleep(1)
        with suppress(urllib.error.URLError):  # Prometheus may not be up yet
            waiting = {name: expr for name, expr in waiting.items() if not has_data(scene, expr)}
    logs = "\n".join((tmp_path / f"{name}.log").read_text()[-1000:] for name in ("train", "serve", "prometheus"))
    assert not waiting, "\n".join([*waiting, logs])
    groups = json.loads(asked(f"{scene}/api/v1/rules"))["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert {rule["health"] for rule in rules} == {"ok"}
    assert len(rules) == len(list(rule_queries()))
    targets = json.loads(asked(f"{scene}/api/v1/targets"))["data"]["activeTargets"]
    assert {(t["labels"]["job"], t["health"]) for t in targets} == {("sparring-train", "up"), ("sparring-serve", "up")}
