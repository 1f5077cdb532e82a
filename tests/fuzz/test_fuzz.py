"""A few hundred hostile inputs; `make fuzz` tries thousands. See `cases.py` for what they are."""

import corpus
import pytest
from cases import KINDS
from running import Case, run

CASES = {
    "images": 10, "archives": 12, "arrays": 24, "tables": 12, "videos": 4, "checkpoints": 4, "models": 24, "runs": 10,
    "recipes": 20, "arguments": 50, "requests": 100,
}  # fmt: skip
SEED = 2026


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return corpus.train_models(tmp_path_factory.mktemp("fuzz") / "models")


def test_every_kind_is_tried():
    assert set(CASES) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_inputs(models, kind):
    failures = []
    for index in range(CASES[kind]):
        case = Case(kind, SEED, index)
        outcome = run(case, models)
        if not outcome.good:
            failures.append(f"{outcome.what}: {case.replay}\n{outcome.shown}")
    assert not failures, "\n\n".join(failures)


def test_a_case_depends_on_its_numbers_only(models, monkeypatch):
    """So that a failure can be replayed."""
    tried = []
    monkeypatch.setattr("running._ended", lambda attempt: (tried.append(attempt), ("success", ""))[1])
    for _ in range(2):
        for index in range(5):
            run(Case("arguments", 7, index), models)
    assert tried[:5] == tried[5:]
    assert len({str(attempt) for attempt in tried}) == 5
