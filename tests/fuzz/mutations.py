"""Damage to bytes and JSON, and odd values; all of it a function of a `random.Random`."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from random import Random
from typing import Any

MAX_BYTES = 2**20  # of a damaged file
DEEP = 100_000  # levels of nesting that no parser accepts
NESTED = "\0nested\0"  # stands for them in a value

ODD_TEXTS = (
    "", " ", "\t", "-", "--", "-1", "=", "a=b=c", ".", "..", "../..", "/", "~", "*", "%s%n", "{0}", "{task}", "[bold]",
    "[/]", "[/red]", "\\", "'", '"', "$(id)", "`id`", "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\r", "\b", "\x7f",
    "\x9b31m", "\u202egnp.exe", "\u2028", "\ufeff", "\udcff", "日本語", "🙂", "e\u0301", "a" * 300, "a" * 5000,
    "NaN", "inf", "-inf", "1e999", "1e-999", "0x10", "1_000", "١٢", "½", "None", "null", "true", "nan", "<b>", "CON",
)  # fmt: skip
ODD_NUMBERS = (
    0, -1, 1, 2, 3, 7, 255, 256, 1000, 2**31 - 1, 2**31, 2**32, 2**53, 2**63 - 1, 2**63, 2**64, -(2**63), -(2**64),
    10**9, 10**15, 10**30, 10**400, 0.0, -0.0, 0.5, -0.5, 1e-320, 1e308, -1e308, float("inf"), float("-inf"),
    float("nan"),
)  # fmt: skip
ODD_INTS = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x80\0\0\0", b"\0\x01\0\0")


def damaged(data: bytes, random: Random) -> bytes:
    """Bytes with a few changes."""
    for _ in range(random.choice((1, 1, 1, 2, 3, 8))):
        data = random.choice(CHANGES)(data, random)[:MAX_BYTES]
    return data


def _place(data: bytes, random: Random) -> int:
    """A position, more often near the beginning, where headers are."""
    return int(random.random() ** random.choice((1, 3)) * len(data))


def _cut(data: bytes, random: Random) -> bytes:
    return data[: _place(data, random)]


def _flip(data: bytes, random: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 4, 32)) if data else 0):
        changed[_place(data, random)] ^= 1 << random.randrange(8)
    return bytes(changed)


def _overwrite(data: bytes, random: Random) -> bytes:
    at, value = _place(data, random), random.choice(ODD_INTS)
    return data[:at] + value + data[at + len(value) :]


def _fill(data: bytes, random: Random) -> bytes:
    at, size = _place(data, random), random.randrange(1, 200)
    return data[:at] + bytes([random.choice((0, 255, 32))]) * size + data[at + size :]


def _remove(data: bytes, random: Random) -> bytes:
    at = _place(data, random)
    return data[:at] + data[at + random.randrange(1, 64) :]


def _repeat(data: bytes, random: Random) -> bytes:
    at, size = _place(data, random), random.randrange(1, 500)
    return data[:at] + data[at : at + size] * random.randrange(2, 20) + data[at:]


def _insert(data: bytes, random: Random) -> bytes:
    at = _place(data, random)
    return data[:at] + random.randbytes(random.randrange(1, 64)) + data[at:]


def _swap(data: bytes, random: Random) -> bytes:
    at = _place(data, random)
    return data[at:] + data[:at]


CHANGES = (_cut, _flip, _overwrite, _fill, _remove, _repeat, _insert, _swap)


def spliced(one: bytes, other: bytes, random: Random) -> bytes:
    """The beginning of one file and the end of another."""
    return one[: _place(one, random)] + other[_place(other, random) :]


def odd_value(random: Random) -> Any:
    """A value of JSON where another one is expected."""
    made = random.randrange(8)
    if made < 3:
        return random.choice(ODD_NUMBERS)
    if made < 5:
        return random.choice(ODD_TEXTS)
    odd: tuple[Any, ...] = (
        None, True, False, [], {}, [[]], [None], {"": None}, [1, "a", None], [0] * 1000, [[1]] * 3, {"a": {"b": []}},
        [float("nan")] * 2, ["\x1b[31m"], {"\x1b[31m": 1}, NESTED, "a" * 100_000,
    )  # fmt: skip
    return copy.deepcopy(random.choice(odd))


def twisted(value: Any, random: Random) -> Any:
    """A value of JSON with a few odd places."""
    whole = [copy.deepcopy(value)]
    for _ in range(random.choice((1, 1, 1, 2, 5))):
        holder, key = random.choice(list(_places(whole)))
        _twist(holder, key, random)
        if not whole:
            return odd_value(random)
    return whole[0]


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container and key in a value."""
    if isinstance(value, dict | list):
        keys = list(value) if isinstance(value, dict) else range(min(len(value), 50))
        for key in keys:
            yield value, key
            yield from _places(value[key])


def _twist(holder: Any, key: Any, random: Random) -> None:
    how = random.randrange(8)
    if how == 0:
        del holder[key]
    elif how == 1 and isinstance(holder, dict):
        holder[random.choice(ODD_TEXTS)] = holder.pop(key)
    elif how == 2:
        holder[key] = random.choice(([holder[key]], {"a": holder[key]}, str(holder[key]), [holder[key]] * 3))
    elif how == 3 and type(holder[key]) in (int, float):
        holder[key] = random.choice((-holder[key], holder[key] + 1, holder[key] * 10**6, -(holder[key] // 3)))
    else:
        holder[key] = odd_value(random)


def as_json(value: Any, random: Random) -> bytes:
    """A value as the bytes of a file of JSON, now and then damaged."""
    text = json.dumps(value, ensure_ascii=random.random() < 0.5).replace(json.dumps(NESTED), "[" * DEEP)
    content = text.encode("utf-8", "surrogatepass")
    return damaged(content, random) if random.random() < 0.2 else content
