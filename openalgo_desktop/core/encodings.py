"""Text from programs that do not write plain UTF-8: byte order marks, UTF-16 and UTF-32."""

from __future__ import annotations

import codecs

#: The longer marks first: that of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
#: Where the zero bytes of the first two letters are, when they are of ASCII (as in JSON).
_ZEROS = {
    (False, True, True, True): "utf-32-le",
    (True, True, True, False): "utf-32-be",
    (False, True, False, True): "utf-16-le",
    (True, False, True, False): "utf-16-be",
}


def utf8_json(raw: bytes) -> bytes:
    """The bytes of a JSON text as UTF-8 without a byte order mark; unchanged when they are, or
    when nothing can be made of them. Raises :class:`UnicodeDecodeError`."""
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return _utf8(raw[len(mark) :], encoding)
    head = raw[:4]
    if b"\0" not in head or len(head) < 4:
        return raw
    zeros = (head[0] == 0, head[1] == 0, head[2] == 0, head[3] == 0)
    return _utf8(raw, _ZEROS.get(zeros, "utf-8"))


def _utf8(raw: bytes, encoding: str) -> bytes:
    return raw if encoding == "utf-8" else raw.decode(encoding).encode("utf-8")
