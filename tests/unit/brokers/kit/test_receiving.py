"""Answers that are too long, packed, broken off, or large."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
import zlib
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from openalgo_desktop.brokers.kit.account.session import Session
from openalgo_desktop.brokers.kit.rest import answers, client, receiving
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.kit.spec import Op
from openalgo_desktop.brokers.zerodha import BROKER
from openalgo_desktop.core.clock import IST, ManualClock
from openalgo_desktop.core.errors import NetError, OrderStateUnknown, ProtocolError

READ = Op(method="GET", path="/x")
WRITE = Op(method="POST", path="/x", write=True)
GZIP = {"content-encoding": "gzip"}
BODY = json.dumps({"status": "success", "data": [1, 2.5]}).encode()


class Sent(httpx.AsyncByteStream):
    """A body as it comes over a line; counts what was taken of it."""

    def __init__(self, body: bytes, step: int = 1 << 16) -> None:
        self.body, self.step, self.taken, self.closed = body, step, 0, False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self.body), self.step):
            self.taken += 1
            yield self.body[at : at + self.step]

    async def aclose(self) -> None:
        self.closed = True


def rest_of(sent: Sent, headers: Mapping[str, str], status: int = 200) -> RestClient:
    session = Session({"api_key": "k", "access_token": "t"})
    session.open = True
    return RestClient(
        msgspec.structs.replace(BROKER.spec, limits={}),
        session,
        ManualClock(datetime(2026, 11, 27, 11, 0, tzinfo=IST)),
        transport=httpx.MockTransport(
            lambda request: httpx.Response(status, headers=headers, stream=sent)
        ),
    )


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize(
    ("packing", "body"),
    [
        ("", BODY),
        ("gzip", gzip.compress(BODY)),
        ("deflate", zlib.compress(BODY)),
        ("deflate", raw_deflate(BODY)),
    ],
    ids=["plain", "gzip", "zlib", "deflate"],
)
async def test_packed_answers_are_read(packing: str, body: bytes) -> None:
    for step in (1 << 16, 7):
        sent = Sent(body, step)
        rest = rest_of(sent, {"content-encoding": packing} if packing else {})
        assert await rest.call(READ) == [1, 2.5]
        assert sent.closed


async def test_what_is_damaged_or_broke_off_is_no_answer() -> None:
    packed = gzip.compress(BODY)
    for bad in (packed[:-9], b"\x00" + packed):
        with pytest.raises(NetError):
            await rest_of(Sent(bad), GZIP).call(READ)
        with pytest.raises(OrderStateUnknown):
            await rest_of(Sent(bad), GZIP).call(WRITE)


async def test_a_few_bytes_that_become_gigabytes_are_stopped_on_the_way() -> None:
    bomb = gzip.compress(b" " * (receiving.MOST * 4) + BODY)
    assert len(bomb) < 1 << 20
    pieces = 0
    sent = Sent(bomb)
    response = httpx.Response(
        200, headers=GZIP, stream=sent, request=httpx.Request("GET", "https://x.test")
    )
    async for piece in receiving.unpacked(response):
        pieces += 1
        assert len(piece) <= 1 << 20  # never much at once
    assert pieces > 100
    for op, error in ((READ, ProtocolError), (WRITE, OrderStateUnknown)):
        sent = Sent(bomb, 1 << 14)
        with pytest.raises(error, match="32 MiB"):
            await rest_of(sent, GZIP).call(op)
        assert sent.closed and sent.taken < len(bomb) / (1 << 14)


async def test_a_body_without_end_is_stopped_too(tmp_path: Path) -> None:
    for status in (200, 400):
        sent = Sent(b" " * (receiving.MOST + (8 << 20)), 1 << 20)
        with pytest.raises(ProtocolError, match="32 MiB"):
            await rest_of(sent, {}, status).call(READ)
        assert sent.taken <= 34
    sent = Sent(b" " * (receiving.MOST + (8 << 20)), 1 << 20)
    with pytest.raises(ProtocolError, match="32 MiB"):  # the refusal of a file is no file
        await rest_of(sent, {}, 400).download(READ, tmp_path / "m")
    assert not list(tmp_path.iterdir())


async def test_a_large_answer_is_read_beside_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []
    before = answers.judge

    def judge(*args: Any) -> Any:
        threads.append(threading.get_ident())
        return before(*args)

    monkeypatch.setattr(client, "judge", judge)
    rows = [{"n": n, "price": n / 4, "text": "ä"} for n in range(20_000)]
    body = json.dumps({"status": "success", "data": rows}).encode()
    assert len(body) > receiving.LARGE
    task = asyncio.create_task(rest_of(Sent(body), {}).call(READ))
    assert await task == rows
    assert await rest_of(Sent(BODY), {}).call(READ) == [1, 2.5]
    here = threading.get_ident()
    assert [thread == here for thread in threads] == [False, True]


def test_the_gentle_reader_reads_what_the_fast_one_does() -> None:
    text = '{"a": [1, -2.5, 1e3, null, true, "\\u20b9"], "b": {"c": {}}}'
    assert receiving.gentle_json(text.encode()) == msgspec.json.decode(text)
    for bad in (b'{"a": ', b"\xff", b""):
        with pytest.raises(ValueError):
            receiving.gentle_json(bad)
