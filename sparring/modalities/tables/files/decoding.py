"""The text in the bytes of a file."""

from __future__ import annotations

import codecs

from sparring.errors import InputError

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
PROBED_BYTES = 4096  # in which zeros are counted
MIN_ZEROS = 0.3  # share of zeros in text of two bytes per character; nearly half of them are


def decoded(name: str, content: bytes, notes: list[str]) -> str:
    """The text of a file, with uniform line ends.

    A byte-order mark says how it is encoded. Without one it is UTF-8, UTF-16 if every other byte is zero, or
    Windows-1252.

    Args:
        name: of the file, for messages.
        notes: messages for the user are appended.

    Raises:
        InputError: if it is not text.
    """
    text = _text(name, content, notes)
    if "\0" in text[:PROBED_BYTES]:
        raise InputError(f"{name} holds binary data, not text; give a table (.csv, .tsv, .parquet, .xlsx)")
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _text(name: str, content: bytes, notes: list[str]) -> str:
    encoding = next((encoding for mark, encoding in MARKS if content.startswith(mark)), "") or _unmarked(content)
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        if encoding != "utf-8":
            notes.append(f"{name} is cut off or damaged: it is not {encoding.upper()} throughout")
            return content.decode(encoding, errors="replace")
    text = content.decode("cp1252", errors="replace")
    notes.append(f"{name} is not UTF-8; it is read as Windows-1252")
    return text


def _unmarked(content: bytes) -> str:
    """The encoding of text without a byte-order mark."""
    start = content[:PROBED_BYTES]
    for offset, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if start[offset::2].count(0) > MIN_ZEROS * len(start) and not start[1 - offset :: 2].count(0):
            return encoding
    return "utf-8"
