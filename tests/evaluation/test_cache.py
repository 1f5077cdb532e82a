"""What judging keeps."""

import os

from sparring.evaluation import cache


def test_what_was_not_used_for_longest_is_dropped(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(cache, "KEPT", 250)
    old, used = cache.place("old"), cache.place("used")
    for age, place in ((300, old), (600, used)):
        cache.keep(place, bytes(100))
        os.utime(place, (1e9 - age, 1e9 - age))
    assert cache.recall(used) == bytes(100)  # is the newest now
    cache.keep(cache.place("new"), bytes(100))
    assert cache.recall(old) is None
    assert cache.recall(used)


def test_a_cache_that_cannot_be_written_to_is_none(tmp_path, monkeypatch):
    (tmp_path / "sparring").write_text("a file")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache.keep(cache.place("x"), b"x")
    assert cache.recall(cache.place("x")) is None
