"""Texts over HTTP, with a prompt."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from captions import write_labeled
from serving import counted, served, warmed

import sparring
from sparring.deploy.serve.worker import Job

ASKED = [{"n": 2, "seed": 1, "prompt": "a black"}, {"n": 3, "seed": 2}, {"n": 2, "seed": 3, "label": "food"}]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("text")
    settings = {"out": folder / "run", "steps": 20, "quiet": True, "device": "cpu"}
    return sparring.train("text", write_labeled(folder / "c.csv", 60), **settings, width=16, embedding=8, D=4, batch=16)


def test_requests_with_a_prompt_have_a_batch_of_their_own(model):
    with served({"reviews": model}) as client, ThreadPoolExecutor(len(ASKED)) as pool:
        warmed(client)
        going_on, worker = threading.Event(), client.app.state.models["reviews"].samples
        worker.put(Job(lambda _: going_on.wait(20)))
        headers = {"Accept": "application/json"}
        answers = [pool.submit(client.post, "/models/reviews/samples", json=it, headers=headers) for it in ASKED]
        until = time.monotonic() + 10
        while len(worker) < len(ASKED) and time.monotonic() < until:
            time.sleep(0.01)
        going_on.set()
        answers = [answer.result().json() for answer in answers]
        assert counted(client, "sparring_serve_batch_count", model="reviews") == 2
        refused = client.post("/models/reviews/samples", json={"prompt": "a purple"})
        lines = client.post("/models/reviews/samples", json=ASKED[0], headers={"Accept": "text/plain"})
    for asked, answer in zip(ASKED, answers, strict=True):
        made = model.sample(**asked)
        assert answer["texts"] == made.items.tolist()
        assert answer["labels"] == [("animals", "food")[label] for label in made.labels]
    assert all(text.startswith("a black") for text in answers[0]["texts"])
    assert (refused.status_code, "'purple'" in refused.text) == (422, True)
    assert lines.text.splitlines() == answers[0]["texts"]
