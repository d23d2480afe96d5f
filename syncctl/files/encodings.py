"""Detects the encoding of a text file."""

from __future__ import annotations

import codecs
import re
from typing import IO

HEAD = 8192
"""Bytes inspected for a byte order mark, and for UTF-16 without one."""

_CHUNK = 1 << 16
_LETTER = re.compile("[^\x00-\x7f\ud800-\udfff]")
_STRAY = re.compile("[\udc80-\udcff]+")


def detect(file: IO[bytes]) -> str:
    """The encoding of a text file: UTF-8 or UTF-16 (with or without a byte order mark), else Windows-1252,
    which accepts any bytes. UTF-8 with a few stray bytes counts as UTF-8.

    The whole file is read, in bounded memory: the first telling character may be anywhere.
    """
    head = file.read(HEAD)
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if wide := _wide(head):
        return wide
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    letters = strays = 0
    while head:
        text = decoder.decode(head)
        letters, strays = letters + len(_LETTER.findall(text)), strays + len(_STRAY.findall(text))
        head = file.read(_CHUNK)
    strays += len(_STRAY.findall(decoder.decode(b"", final=True)))
    # By chance, bytes of Windows-1252 are hardly ever a letter of UTF-8, let alone as often as they are not.
    return "cp1252" if strays > letters else "utf-8"


def _wide(head: bytes) -> str | None:
    """UTF-16 without a byte order mark: every other byte of its digits, delimiters and Latin letters is 0."""
    pairs = len(head) // 2
    even, odd = head[::2].count(0), head[1::2].count(0)
    if pairs and odd * 3 >= pairs and even * 10 < odd:
        return "utf-16-le"
    if pairs and even * 3 >= pairs and odd * 10 < even:
        return "utf-16-be"
    return None
