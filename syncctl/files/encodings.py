"""Which encoding a text file is written in."""

from __future__ import annotations

import codecs
from typing import IO

HEAD = 8192
"""Bytes that are looked at for a byte order mark and for UTF-16 without one."""

_CHUNK = 1 << 16


def detect(file: IO[bytes]) -> str:
    """The name of the encoding of a text, read from its start: UTF-8 (with a byte order mark or without),
    UTF-16 (the same), else Windows-1252, which any bytes may be.

    All of the file is read, in bounded memory: the first letter that tells may stand anywhere.
    """
    head = file.read(HEAD)
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if wide := _wide(head):
        return wide
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while head:
            decoder.decode(head)
            head = file.read(_CHUNK)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _wide(head: bytes) -> str | None:
    """UTF-16 without a byte order mark: every other byte of its digits, delimiters and Latin letters is 0."""
    pairs = len(head) // 2
    even, odd = head[::2].count(0), head[1::2].count(0)
    if pairs and odd * 3 >= pairs and even * 10 < odd:
        return "utf-16-le"
    if pairs and even * 3 >= pairs and odd * 10 < even:
        return "utf-16-be"
    return None
