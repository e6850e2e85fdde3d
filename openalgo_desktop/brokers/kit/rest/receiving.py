"""Bodies of answers: never longer than a bound, whatever is packed into them."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import AsyncIterator
from typing import Any

import httpx

from openalgo_desktop.core.errors import ProtocolError
from openalgo_desktop.core.gently import Pace

#: Bytes of an answer, unpacked: a day's order book of a busy account is a tenth of it. Files of a
#: symbol master have a bound of their own.
MOST = 32 << 20
#: Longer bodies are read beside the loop.
LARGE = 256 << 10
#: Bytes that are unpacked before others get the loop, a millisecond or two.
_STEP = 1 << 20
#: Values between two looks at the clock.
_EVERY = 127


async def whole(response: httpx.Response, most: int = MOST) -> httpx.Response:
    """The answer with its body, unpacked; ``response`` was sent with ``stream=True``, and is
    closed.

    Raises :class:`ProtocolError` for a body of more than ``most`` bytes, :class:`httpx.HTTPError`
    for one that broke off.
    """
    body = bytearray()
    try:
        async for piece in unpacked(response):
            body += piece
            if len(body) > most:
                raise ProtocolError(f"An answer of more than {most >> 20} MiB came.")
    finally:
        await response.aclose()
    kept = {
        name: text
        for name, text in response.headers.items()
        if name not in ("content-encoding", "content-length", "transfer-encoding")
    }
    return httpx.Response(
        response.status_code, headers=kept, content=bytes(body), request=response.request
    )


async def unpacked(response: httpx.Response) -> AsyncIterator[bytes]:
    """The body in small pieces: a few kilobytes that come can be gigabytes when unpacked."""
    packing = response.headers.get("content-encoding", "").strip().lower()
    if response.is_stream_consumed or packing not in ("gzip", "x-gzip", "deflate"):
        async for piece in response.aiter_bytes(_STEP):
            yield piece
        return
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip or zlib, by the header
    begun = False
    async for data in response.aiter_raw():
        while data:
            try:
                piece = unpack.decompress(data, _STEP)
            except zlib.error:
                if begun or packing != "deflate":
                    raise httpx.DecodingError("The answer cannot be unpacked.") from None
                unpack = zlib.decompressobj(-zlib.MAX_WBITS)  # as some servers understand it
                begun = True
                continue
            begun = True
            yield piece
            if data := unpack.unconsumed_tail:
                await asyncio.sleep(0)
    if begun and not unpack.eof:
        raise httpx.DecodingError("The answer broke off.")


def gentle_json(content: bytes) -> Any:
    """The JSON of a large body, for a thread: the loop runs meanwhile, which a faster decoder
    would keep waiting until it is through. Raises :class:`ValueError`."""
    pace, count = Pace(), 0

    def breathe() -> None:
        nonlocal count
        count += 1
        if not count & _EVERY:
            pace.keep()

    def table(value: dict[str, Any]) -> dict[str, Any]:
        breathe()
        return value

    def real(text: str) -> float:
        breathe()
        return float(text)

    def whole_number(text: str) -> int:
        breathe()
        return int(text)

    text = content.decode()
    return json.loads(text, object_hook=table, parse_float=real, parse_int=whole_number)
