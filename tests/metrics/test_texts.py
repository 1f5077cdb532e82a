"""Metrics of texts."""

from collections import Counter
from itertools import product
from math import exp, log

import numpy as np
import pytest
from captions import captions

from sparring.metrics.bleu import References, bleu, self_bleu
from sparring.metrics.texts import Trigrams, classify, repetition, shared


def slow_bleu(tokens, references, n):
    """BLEU-n of a text as its definition reads."""
    logs = []
    for k in range(1, n + 1):
        grams = Counter(tuple(tokens[i : i + k]) for i in range(len(tokens) - k + 1))
        counted = [Counter(tuple(r[i : i + k]) for i in range(len(r) - k + 1)) for r in references]
        matched = sum(min(count, max(c[gram] for c in counted)) for gram, count in grams.items())
        if k == 1 and not matched:
            return 0.0
        logs.append(log((matched or 0.1) / max(1, sum(grams.values()))))
    closest = min((len(r) for r in references), key=lambda length: (abs(length - len(tokens)), length))
    return min(1.0, exp(1 - closest / len(tokens))) * exp(sum(logs) / n)


def random_texts(n, seed):
    random = np.random.default_rng(seed)
    return [tuple(random.choice(list("abcd"), random.integers(1, 12))) for _ in range(n)]


def test_bleu_is_its_definition():
    texts, references = random_texts(30, 0), random_texts(25, 1)
    expected = [np.mean([slow_bleu(t, references, n) for t in texts]) for n in range(1, 6)]
    assert bleu(texts, References(references)) == pytest.approx(expected, abs=1e-12)
    assert References([("x", "y")]).bleu(("a", "b")) == [0.0] * 5
    assert References([("x", "y")]).bleu(()) == [0.0] * 5


def test_self_bleu_leaves_the_text_itself_out_but_not_its_doubles():
    texts = random_texts(30, 2)
    expected = [
        np.mean([slow_bleu(t, texts[:i] + texts[i + 1 :], n) for i, t in enumerate(texts)]) for n in range(1, 6)
    ]
    assert self_bleu(texts) == pytest.approx(expected, abs=1e-12)
    assert self_bleu([tuple("abcdefg")] * 3)[4] == 1
    assert self_bleu([tuple("abcdef"), tuple("uvwxyz")])[3] == 0


def test_probabilities_of_the_language_model_sum_to_one():
    """Over all tokens that it knows, and one share for all others."""
    model = Trigrams([tuple("abca"), tuple("bc"), tuple("ccb")], 10)
    for a, b in product("abcx", repeat=2):
        known = sum(model._share(a, b, c) for c in (*"abc", "\x03"))
        unseen = model._share(a, b, "x")
        assert known + (10 + 1 - 4) * unseen == pytest.approx(1)
        assert unseen > 0


def test_the_language_model_prefers_what_it_was_fitted_to():
    texts = [tuple(text.split()) for text, _ in captions(300)]
    model = Trigrams(texts[:200])
    shuffled = [tuple(np.random.default_rng(0).permutation(list(tokens))) for tokens in texts[200:]]
    assert model.nats(texts[:200]) < model.nats(texts[200:]) < model.nats(shuffled) - 1


def slow_shared(tokens, train):
    spans = [tokens[i:j] for i in range(len(tokens)) for j in range(i + 1, len(tokens) + 1)]
    known = {t[i:j] for t in train for i in range(len(t)) for j in range(i + 1, len(t) + 1)}
    return max((len(span) for span in spans if span in known), default=0)


def test_longest_shared_ngram():
    texts, train = [*random_texts(40, 3), ("x",), ()], random_texts(15, 4)
    assert shared(texts, train).tolist() == [slow_shared(t, train) for t in texts]
    assert shared([tuple("cab")], [tuple("xc"), tuple("ab")]).tolist() == [2]  # not across the end of a text


def test_repetition_within_texts():
    assert repetition([tuple("abcabcabc")]) == pytest.approx(4 / 7)
    assert repetition([tuple("abcdef"), tuple("abcdef")]) == 0
    assert np.isnan(repetition([tuple("ab")]))


def test_classes_that_do_not_occur_have_no_probability():
    x = np.array([[0.0], [0.1], [1.0], [1.1]])
    probabilities = classify(x, np.array([0, 0, 2, 2]), x, 3)
    assert probabilities.argmax(1).tolist() == [0, 0, 2, 2]
    assert (probabilities[:, 1] == 0).all()
