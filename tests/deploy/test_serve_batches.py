"""Concurrent requests share a batch; each client gets its own samples, and none waits without need."""

import base64
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from serving import counted, nearly, pixels, served, warmed

from sparring.deploy.serve.limits import Limits
from sparring.deploy.serve.worker import Dropped, Job, QueueFull, Worker

SHARING = {
    "digits": [{"n": n, "seed": n, "label": label} for n, label in ((1, "3"), (5, None), (2, "7"), (9, None))],
    "points": [{"n": n, "seed": 7} for n in (1, 2, 3, 4)],
    "series": [{"n": n, "seed": n, "length": 50} for n in (1, 2, 3)],
    "ctgan": [{"n": n, "seed": n} for n in (1, 40, 7)],
}  # fmt: skip


@pytest.mark.parametrize("name", SHARING)
def test_requests_share_a_batch_and_get_their_own_samples(models, name):
    """Each gets the samples of its seed, from one batch."""
    requested = SHARING[name]
    with served({name: models[name]}) as client, ThreadPoolExecutor(len(requested)) as pool:
        warmed(client)
        going_on, worker = threading.Event(), client.app.state.models[name].samples
        worker.put(Job(lambda _: going_on.wait(20)))
        headers = {"Accept": "application/json"}
        answers = [pool.submit(client.post, f"/models/{name}/samples", json=it, headers=headers) for it in requested]
        until = time.monotonic() + 10
        while len(worker) < len(requested) and time.monotonic() < until:
            time.sleep(0.01)
        going_on.set()
        answers = [answer.result() for answer in answers]
        assert counted(client, "sparring_serve_batch_count", model=name) == 1
        assert counted(client, "sparring_serve_samples_total", model=name) == sum(it["n"] for it in requested)
    for expected, answer in zip(requested, answers, strict=True):
        made, received = models[name].sample(**expected), answer.json()
        if name == "digits":
            assert nearly([pixels(base64.b64decode(text)) for text in received["images"]], made.items[..., 0])
            assert received["labels"] == [made.modality.classes[label] for label in made.labels]
        elif name == "ctgan":
            assert [row["job"] for row in received["rows"]] == made.items["job"].tolist()
            assert [row["age"] for row in received["rows"]] == made.items["age"].tolist()
        else:
            np.testing.assert_allclose(received[name], made.items, rtol=1e-4, atol=1e-5)


def test_a_batch_waits_for_others(models):
    """If other requests are active."""
    with served({"points": models["points"]}, Limits(wait=1000)) as client, ThreadPoolExecutor(2) as pool:
        warmed(client)
        client.app.state.state.active += 2
        first = pool.submit(client.post, "/models/points/samples")
        time.sleep(0.1)
        assert client.post("/models/points/samples").status_code == first.result().status_code == 200
        assert counted(client, "sparring_serve_batch_count", model="points") == 1
        client.app.state.state.active -= 2


def test_a_single_request_does_not_wait(models):
    """If no other request is active."""
    with served({"points": models["points"]}, Limits(wait=1000)) as client:
        warmed(client)
        began = time.monotonic()
        assert client.post("/models/points/samples").status_code == 200
        assert time.monotonic() - began < 0.9


def test_requests_that_cannot_share_a_batch(models):
    """Other truncations, games whose samples depend on the batch, more samples than fit."""
    requested = [{"truncation": 0.5}, {"truncation": 1.0}, {}, {"n": 64}, {"n": 64}]
    with served({k: models[k] for k in ("digits", "table")}, Limits(wait=300)) as client, ThreadPoolExecutor(8) as pool:
        warmed(client)

        def passes(name, requested):
            before = counted(client, "sparring_serve_batch_count", model=name)
            answers = list(
                pool.map(lambda it: client.post(f"/models/{name}/samples", json=it | {"seed": 1}), requested)
            )
            assert {answer.status_code for answer in answers} == {200}
            return counted(client, "sparring_serve_batch_count", model=name) - before, answers

        assert passes("digits", requested)[0] == 5
        many, (one, other) = passes("table", [{"n": 2}, {"n": 3}])
        assert many == 2
        assert one.json()["rows"] == other.json()["rows"][:2]


def test_threads_do_not_disturb_each_others_random_numbers(models):
    """PyTorch has one generator for all threads."""
    expected = {name: models[name].sample(5, seed=3).items for name in ("points", "series")}
    with served({name: models[name] for name in expected}, Limits(wait=0)) as client, ThreadPoolExecutor(8) as pool:
        ask = {"n": 5, "seed": 3}
        names = list(expected) * 40
        answers = pool.map(lambda name: client.post(f"/models/{name}/samples", json=ask), names)
        for name, answer in zip(names, answers, strict=True):
            np.testing.assert_allclose(answer.json()[name], expected[name], rtol=1e-4, atol=1e-5)


def test_a_long_batch_does_not_block_other_models(models, monkeypatch):
    begun, going_on, generate = threading.Event(), threading.Event(), models["series"].game.generate

    def slow(*given):
        begun.set()
        going_on.wait(20)
        return generate(*given)

    with served({name: models[name] for name in ("series", "points")}, Limits(seconds=5)) as client:
        warmed(client)
        monkeypatch.setattr(models["series"].game, "generate", slow)
        with ThreadPoolExecutor(1) as pool:
            # A whole batch is generated alone by `Model.sample_request`, fewer samples by the worker.
            long = pool.submit(client.post, "/models/series/samples", json={"n": 64, "seed": 1})
            assert begun.wait(5)
            quick = client.post("/models/points/samples")
            going_on.set()
            assert (quick.status_code, long.result().status_code) == (200, 200)


@pytest.mark.parametrize("name", ["digits", "points", "ctgan", "series"])
@pytest.mark.parametrize("truncation", [None, 1.0])
def test_nets_draw_no_random_numbers(models, name, truncation):
    """So they can run while other threads draw."""
    model = models[name]
    z, label = model.latents(3, model.request(), 1, truncation)
    before = torch.get_rng_state()
    model.generate(z, label, truncation)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_queue_is_limited(models):
    """A full queue is reported at once. Requests that wait too long are dropped and not generated."""
    begun, going_on = threading.Event(), threading.Event()

    def slow(_progress):
        begun.set()
        going_on.wait(20)

    limits = Limits(queue=2, seconds=1.0, wait=0)
    with served({"digits": models["digits"]}, limits) as client, ThreadPoolExecutor(3) as pool:
        warmed(client)
        worker = client.app.state.models["digits"].samples
        worker.put(Job(slow))
        begun.wait(5)
        waiting = [pool.submit(client.post, "/models/digits/samples") for _ in range(2)]
        until = time.monotonic() + 5
        while counted(client, "sparring_serve_queue", model="digits") < 2 and time.monotonic() < until:
            time.sleep(0.01)
        began = time.monotonic()
        full = client.post("/models/digits/samples")
        assert time.monotonic() - began < 0.9
        assert (full.status_code, full.headers["retry-after"]) == (503, "1")
        assert [answer.result().status_code for answer in waiting] == [504, 504]
        assert len(worker) == 0
        going_on.set()
        made = counted(client, "sparring_serve_samples_total", model="digits")
        assert client.post("/models/digits/samples").status_code == 200
        assert counted(client, "sparring_serve_samples_total", model="digits") == made + 1


def test_rows_that_do_not_exist(models):
    """The client is told that its conditions are too rare, before the request times out."""
    with served({"table": models["table"]}, Limits(seconds=1)) as client:
        warmed(client)
        answer = client.post("/models/table/samples", json={"where": ["age>79.5", "pay<-100"]})
        assert (answer.status_code, "for a more common condition" in answer.json()["detail"]) == (422, True)
        assert client.post("/models/table/samples").status_code == 200


@pytest.mark.parametrize("rule", ["age>=nan", "age>=inf", "age>-Infinity", "since>=NaT", "pay!=NaN"])
def test_conditions_that_are_no_numbers(models, rule):
    with served({"table": models["table"]}) as client:
        answer = client.post("/models/table/samples", json={"where": [rule]})
        assert answer.status_code == 422
        assert "is not a" in answer.json()["detail"]


def test_a_search_does_not_hold_up_others(models):
    """While a condition that nothing satisfies is searched for, other requests are answered, and other searches get
    their turn; it ends early, because it would take far longer than it may.
    """
    with served({"table": models["table"]}, Limits(seconds=20)) as client, ThreadPoolExecutor(4) as pool:
        warmed(client)
        began = time.monotonic()
        hopeless = pool.submit(client.post, "/models/table/samples", json={"where": ["age>79.5", "pay<-100"]})
        while not len(client.app.state.models["table"].searches) and time.monotonic() - began < 0.2:
            time.sleep(0.01)
        assert client.post("/models/table/samples", json={"n": 3}).status_code == 200
        assert not hopeless.done()
        easy = client.post("/models/table/samples", json={"n": 3, "where": ["age>0"]})
        assert easy.status_code == 200
        answer = hopeless.result()
        assert time.monotonic() - began < 8
        assert answer.status_code == 422
        assert "only 0 of" in answer.json()["detail"]


def test_dropped_work_ends(models):
    begun, done = threading.Event(), []

    def long(progress):
        begun.set()
        for i in range(5000):
            progress(i, 5000)
            done.append(i)
            time.sleep(0.001)

    worker, job = Worker("dropping", models["digits"], Limits(), lambda _: None, lambda: 1), Job(long)
    worker.start()
    worker.put(job)
    begun.wait(5)
    worker.drop(job)
    with pytest.raises(Dropped):
        job.future.result(2)
    assert len(done) < 5000
    worker.close(5)


def test_a_worker_continues_after_an_error(models):
    worker = Worker("failing", models["digits"], Limits(), lambda _: None, lambda: 1)
    bad, good = Job(lambda _: 1 / 0), Job(lambda _: 3)
    worker.start()
    worker.put(bad)
    worker.put(good)
    with pytest.raises(ZeroDivisionError):
        bad.future.result(5)
    assert good.future.result(5) == 3
    worker.close(5)
    with pytest.raises(QueueFull):  # or clients would wait forever
        worker.put(good)
    assert not any(thread.name == "failing" for thread in threading.enumerate())


def test_threads_that_draw_wait_for_each_other():
    """Seeding and drawing are one step."""
    from sparring.seeds import seeded

    cpu = torch.device("cpu")

    def drawn(key):
        with seeded(key, cpu):
            time.sleep(0.001)
            return torch.randn(1).item()

    with seeded(1, cpu):
        expected = torch.randn(1).item()
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(drawn, [1] * 20)) == {expected}
