"""The cache of evaluations."""

import os

from sparring.evaluation import cache


def test_the_least_recently_used_file_is_deleted(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(cache, "MAX_BYTES", 250)
    old, used = cache.place("old"), cache.place("used")
    for age, place in ((300, old), (600, used)):
        cache.keep(place, bytes(100))
        os.utime(place, (1e9 - age, 1e9 - age))
    assert cache.recall(used) == bytes(100)  # now the most recently used one
    cache.keep(cache.place("new"), bytes(100))
    assert cache.recall(old) is None
    assert cache.recall(used)


def test_a_cache_that_cannot_be_written_to_is_ignored(tmp_path, monkeypatch):
    (tmp_path / "sparring").write_text("a file")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache.keep(cache.place("x"), b"x")
    assert cache.recall(cache.place("x")) is None
