"""Posts of alerts, to a server on loopback that answers what a test says."""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from openalgo_desktop.automation.alerts import webhook
from openalgo_desktop.automation.alerts.webhook import SCOPE, WebPoster
from openalgo_desktop.core.alert_acts import PostTo
from openalgo_desktop.core.errors import AppError, ConfigError, NetError
from openalgo_desktop.core.secret import Secret
from tests.waiting import until


class Server:
    """Answers each post with the next status, the last one again and again."""

    def __init__(self) -> None:
        self.statuses = [200]
        self.more = ""
        self.heard: list[str] = []
        self.port = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        size = next(int(row.split(":")[1]) for row in head.lower().split("\r\n")
                    if row.startswith("content-length"))  # fmt: skip
        self.heard.append(head + (await reader.read(size)).decode())
        await self.gate.wait()
        status = self.statuses.pop(0) if self.statuses[1:] else self.statuses[0]
        writer.write(f"HTTP/1.1 {status} X\r\n{self.more}content-length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()


class Vault:
    async def get(self, name: str) -> Secret | None:
        return Secret("s3cr3t") if name == f"{SCOPE}hook" else None


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    monkeypatch.setattr(webhook, "PAUSES", (0.0, 0.0))
    made = Server()
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    yield made
    made.gate.set()
    listening.close()


def poster(private: bool = False, found: Sequence[str] | None = None) -> WebPoster:
    async def lookup(host: str, port: int) -> Sequence[str]:
        return await webhook.look_up(host, port) if found is None else found

    return WebPoster(Vault(), lambda: private, lookup)


def act(server: Server, path: str = "/hook", **more: str) -> PostTo:
    return PostTo(f"http://localhost:{server.port}{path}", **more)


async def test_it_is_posted_once_with_its_secret_in_the_header(server: Server):
    answer = await poster().post(act(server, secret="hook", header="X-Key"), b'{"a":1}', "t1")
    assert answer == "200"
    (heard,) = server.heard
    assert heard.startswith("POST /hook HTTP/1.1") and heard.endswith('\r\n\r\n{"a":1}')
    rows = heard.lower().split("\r\n")
    assert "x-key: s3cr3t" in rows and "idempotency-key: t1" in rows
    assert "content-type: application/json" in rows and f"host: localhost:{server.port}" in rows


async def test_a_secret_of_the_path_is_in_no_message(
    server: Server, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.WARNING)
    server.statuses = [404]
    with pytest.raises(NetError) as refused:
        await poster().post(act(server, "/x/{{secret}}", secret="hook"), b"{}", "t1")
    assert server.heard[0].startswith("POST /x/s3cr3t HTTP/1.1")
    assert refused.value.message == "localhost answered 404."
    assert "s3cr3t" not in caplog.text + str(refused.value)
    with pytest.raises(ConfigError, match="other of the webhook is not in the vault"):
        await poster().post(act(server, secret="other"), b"{}", "t1")


async def test_what_may_help_is_tried_again_with_the_same_key(server: Server):
    server.statuses = [503, 429, 200]
    assert await poster().post(act(server), b"{}", "t1") == "200"
    assert len(server.heard) == 3 and all("t1" in row for row in server.heard)
    server.statuses = [500]
    with pytest.raises(NetError, match=r"answered 500\. It was tried 3 times\."):
        await poster().post(act(server), b"{}", "t2")


async def test_a_redirect_is_not_followed(server: Server):
    server.statuses, server.more = [302], "location: http://localhost/other\r\n"
    with pytest.raises(NetError, match=r"answered 302\. Redirects are not followed\."):
        await poster().post(act(server), b"{}", "t1")
    assert len(server.heard) == 1


async def test_certificates_are_read_once_and_beside_the_loop(
    server: Server, monkeypatch: pytest.MonkeyPatch
):
    """Alerts that fire together: each reading holds up prices and orders for tens of ms."""
    threads: list[int] = []
    read = ssl.SSLContext.load_verify_locations

    def loads(context: ssl.SSLContext, *args: Any, **more: Any) -> None:
        threads.append(threading.get_ident())
        read(context, *args, **more)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", loads)
    webhook._tls.cache_clear()
    one = poster()
    for number in range(3):
        await one.post(act(server), b"{}", f"t{number}")
    assert len(threads) == 1 and threads[0] != threading.get_ident()


async def test_only_so_many_tries_are_under_way(server: Server, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(webhook, "AT_ONCE", 2)
    server.gate.clear()
    one = poster()
    posts = [asyncio.create_task(one.post(act(server), b"{}", f"t{n}")) for n in range(5)]
    await until(lambda: len(server.heard) == 2)
    await asyncio.sleep(0)
    assert len(server.heard) == 2
    server.gate.set()
    assert await asyncio.gather(*posts) == ["200"] * 5


async def test_who_does_not_answer_is_given_up(server: Server, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(webhook, "TIMEOUT", 0.05)
    server.gate.clear()
    with pytest.raises(NetError, match="did not answer"):
        await poster().post(act(server), b"{}", "t1")


@pytest.mark.parametrize(
    ("addresses", "private", "allowed"),
    [
        (["127.0.0.1"], True, False),  # a name of the internet that leads to this machine
        (["192.168.1.5"], False, False),
        (["192.168.1.5"], True, True),
        (["93.184.216.34", "10.0.0.1"], False, False),
        (["169.254.169.254"], False, False),
        (["::ffff:10.0.0.1"], False, False),
        (["64:ff9b::a00:1"], False, False),  # 10.0.0.1, translated on the way
        (["64:ff9b::7f00:1"], True, False),
        (["64:ff9b::5db8:d822"], False, True),
        (["2002:c0a8:105::1"], False, False),  # 192.168.1.5 by 6to4
        (["64:ff9b:1::a00:1"], False, False),  # a translator of the own network
        (["::10.0.0.1"], False, False),
        (["fec0::1"], False, False),
        (["fec0::1"], True, False),
        (["2606:4700::1111"], False, True),
        (["fd00::1"], False, False),
        (["0.0.0.0"], True, False),
        (["169.254.169.254"], True, False),
        (["224.0.0.1"], True, False),
        (["93.184.216.34"], False, True),
    ],
)
async def test_private_addresses_are_refused_unless_allowed(
    addresses: list[str], private: bool, allowed: bool
):
    found = poster(private, addresses)
    try:
        assert await found._address("example.com", 443) == addresses[0] and allowed
    except AppError as error:
        assert not allowed and "private network" in error.message
