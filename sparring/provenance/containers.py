"""Where an XMP packet stands in files of each format: XMP specification, part 3. What a file shows is not changed."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from PIL import Image

from sparring.errors import InputError

PNG = b"\x89PNG\r\n\x1a\n"
PNG_KEY = b"XML:com.adobe.xmp" + bytes(5)  # neither compressed, nor with a language or a translated keyword
JPEG_KEY = b"http://ns.adobe.com/xap/1.0/\0"
JPEG_FIRST = (0xE0, 0xE1)  # segments that stay in front: JFIF and Exif
MAX_SEGMENT = 65_533  # bytes of a JPEG segment, without the two of its length
MP4_KEY = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
GIF_KEY = b"\x21\xff\x0bXMP DataXMP"
GIF_TRAILER = b"\x01" + bytes(range(255, -1, -1)) + b"\0"  # ends the packet for readers of any version
HAS_XMP, HAS_ALPHA = 0x04, 0x10  # flags of an extended WebP


@dataclass(frozen=True)
class Container:
    """A format of files that has a place for XMP.

    Attributes:
        media: media type.
        is_of: True for the content of such a file.
        with_packet: the content with an XMP packet.
    """

    media: str
    is_of: Callable[[bytes], bool]
    with_packet: Callable[[bytes, bytes], bytes]


def container(content: bytes) -> Container | None:
    """The format of a file's content; None if it is none with a place for XMP."""
    return next((known for known in CONTAINERS if known.is_of(content)), None)


def _png(content: bytes, packet: bytes) -> bytes:
    """After the header, the first chunk of a PNG."""
    body = b"iTXt" + PNG_KEY + packet
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    end = len(PNG) + 12 + struct.unpack_from(">I", content, len(PNG))[0]
    return content[:end] + chunk + content[end:]


def _jpeg(content: bytes, packet: bytes) -> bytes:
    segment = JPEG_KEY + packet
    if len(segment) > MAX_SEGMENT:
        raise InputError(
            f"marks of {len(packet):,} bytes do not fit into a JPEG; shorten the names of data and producer"
        )
    at = 2
    while content[at] == 0xFF and content[at + 1] in JPEG_FIRST:
        at += 2 + struct.unpack_from(">H", content, at + 2)[0]
    return content[:at] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + content[at:]


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Names and bodies of the chunks of a RIFF file."""
    at = 12
    while at + 8 <= len(content):
        name, size = struct.unpack_from("<4sI", content, at)
        yield name, content[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _riff(form: bytes, chunks: list[tuple[bytes, bytes]]) -> bytes:
    body = b"".join(name + struct.pack("<I", len(part)) + part + bytes(len(part) % 2) for name, part in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + form + body


def _webp(content: bytes, packet: bytes) -> bytes:
    """The last chunk of a WebP, whose header has to announce it; a simple WebP gets such a header."""
    chunks = list(_chunks(content))
    if chunks[0][0] == b"VP8X":
        head = bytes([chunks[0][1][0] | HAS_XMP]) + chunks.pop(0)[1][1:]
    else:
        with Image.open(io.BytesIO(content)) as image:
            flags = HAS_XMP | (HAS_ALPHA if image.mode == "RGBA" else 0)
            width, height = (struct.pack("<I", side - 1)[:3] for side in image.size)
        head = bytes([flags, 0, 0, 0]) + width + height
    return _riff(b"WEBP", [(b"VP8X", head), *chunks, (b"XMP ", packet)])


def _wav(content: bytes, packet: bytes) -> bytes:
    return _riff(b"WAVE", [*_chunks(content), (b"_PMX", packet)])


def _mp4(content: bytes, packet: bytes) -> bytes:
    """A box at the end, where it moves no other."""
    return content + struct.pack(">I", len(packet) + 24) + b"uuid" + MP4_KEY + packet


def _gif(content: bytes, packet: bytes) -> bytes:
    """An extension before the trailer, the last byte."""
    return content[:-1] + GIF_KEY + packet + GIF_TRAILER + content[-1:]


CONTAINERS = (
    Container("image/png", lambda c: c.startswith(PNG), _png),
    Container("image/jpeg", lambda c: c.startswith(b"\xff\xd8\xff"), _jpeg),
    Container("image/webp", lambda c: c[:4] == b"RIFF" and c[8:12] == b"WEBP", _webp),
    Container("audio/wav", lambda c: c[:4] == b"RIFF" and c[8:12] == b"WAVE", _wav),
    Container("video/mp4", lambda c: c[4:8] == b"ftyp", _mp4),
    Container("image/gif", lambda c: c[:4] == b"GIF8", _gif),
)
