"""Who gets in, by which door, in which writing; a crowd in front of it shuts out nobody."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from openalgo_desktop.core.addresses import LOOPBACK_V6
from openalgo_desktop.local_api import bodies
from openalgo_desktop.local_api import server as server_module
from openalgo_desktop.local_api.doorkeeper import PEER_ALL, PEER_STRANGERS, Doorkeeper
from openalgo_desktop.local_api.network import bind_sockets, exposure
from tests.unit.local_api.rest_world import running
from tests.waiting import until


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind((LOOPBACK_V6, 0))
    except OSError:
        return False
    return True


# -- what is written --------------------------------------------------------------------------
@pytest.mark.parametrize("media", ["application/json", "text/plain", "application/json; charset=x"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"]
)
async def test_bodies_in_every_writing(media: str, encoding: str) -> None:
    body = json.dumps({"apikey": "good", "symbol": "SBIN", "exchange": "NSE"})
    async with running() as world:
        answer = await world.http.post(
            "/api/v1/quotes", content=body.encode(encoding), headers={"Content-Type": media}
        )
        assert answer.json()["status"] == "success"


@pytest.mark.parametrize(
    "body", [b"\xff\xfe{", b"\0\0\0{", b"\xff\xfe\x00\xd8", b"\0", b"\xef\xbb\xbf"]
)
async def test_broken_writings_are_malformed(body: bytes) -> None:
    async with running() as world:
        answer = await world.http.post(
            "/api/v1/quotes", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 400


async def test_a_slash_too_many_is_read_as_one() -> None:
    body = {"apikey": "good", "symbol": "SBIN", "exchange": "NSE"}
    async with running() as world:
        for path in ("//api/v1/quotes", "/api//v1/quotes", "/api/v1//quotes", "/api/v1///quotes/"):
            url = f"{world.api.rest_url}{path}"
            assert (await world.http.post(url, json=body)).json()["status"] == "success"


# -- by which door ------------------------------------------------------------------------------
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
async def test_loopback_is_both_families(host: str) -> None:
    if not has_ipv6():
        pytest.skip("this machine has no IPv6")
    async with running(**{"api.host": host}) as world:
        port = world.api.rest_url.rpartition(":")[2]
        for name in ("127.0.0.1", "[::1]", "localhost"):
            answer = await world.http.get(f"http://{name}:{port}/openapi.json")
            assert answer.status_code == 200
        for address in ("127.0.0.1", "::1"):
            _, writer = await asyncio.open_connection(address, world.api.ws.port)
            writer.close()
        assert not world.api.exposure


def test_another_program_on_the_other_family_is_told(caplog: pytest.LogCaptureFixture) -> None:
    if not has_ipv6():
        pytest.skip("this machine has no IPv6")
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as other:
        other.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        other.bind((LOOPBACK_V6, 0))
        other.listen()
        port = other.getsockname()[1]
        found = bind_sockets("127.0.0.1", port, "api.rest_port")
        assert [one.family for one in found] == [socket.AF_INET]
        assert f"port {port} on ::1 belongs to another program" in caplog.text
        found[0].close()


async def test_an_open_door_is_told_with_its_true_address(caplog: pytest.LogCaptureFixture) -> None:
    async with running(**{"api.host": "0.0.0.0"}) as world:
        assert "http://0.0.0.0:" in world.api.listening
        assert "OPEN ON EVERY NETWORK" in world.api.exposure
        assert world.api.exposure in caplog.text
        assert (await world.http.get("/openapi.json")).status_code == 200


def test_exposure() -> None:
    assert [exposure(host) for host in ("127.0.0.1", "::1", "localhost", "127.0.0.9")] == [""] * 4
    assert "192.168.1.7" in exposure("192.168.1.7")


@pytest.mark.parametrize(
    "host", ["localhost.", "user@127.0.0.1", "127.0.0.1:99999", "[::1", "evil.example", "::1"]
)
async def test_hosts_that_are_none(host: str) -> None:
    async with running() as world:
        answer = await world.http.get("/openapi.json", headers={"Host": host})
        assert answer.status_code == 403


# -- a crowd in front of it -----------------------------------------------------------------------
class Visitor:
    """A connection of the doorkeeper's tests."""

    def __init__(self, busy: bool = False) -> None:
        self.busy = busy
        self.open = True

    def drop(self) -> None:
        self.open = False


def test_strangers_push_out_strangers_and_never_who_has_a_key() -> None:
    door = Doorkeeper(1024)
    friends = [Visitor() for _ in range(door.most - door.most_strangers)]
    for friend in friends:
        door.arrived(friend, "127.0.0.1")
        door.known(friend)
    crowd = [Visitor(busy=number == 0) for number in range(2 * door.most)]
    for stranger in crowd:
        door.arrived(stranger, "127.0.0.1")
    assert all(friend.open for friend in friends)
    assert len(door) <= door.most
    assert sum(stranger.open for stranger in crowd) == door.strangers == door.most_strangers
    assert crowd[0].open  # was being answered
    assert crowd[-1].open  # the newest


def test_one_other_machine_gets_a_part_only() -> None:
    door = Doorkeeper(100_000)
    crowd = [Visitor() for _ in range(PEER_STRANGERS + 5)]
    for stranger in crowd:
        door.arrived(stranger, "10.0.0.7")
    assert door.strangers == PEER_STRANGERS
    friends = [Visitor() for _ in range(PEER_ALL + 5)]
    for friend in friends:
        door.arrived(friend, "10.0.0.8")
        door.known(friend)
    assert sum(friend.open for friend in friends) == PEER_ALL


async def closed(reader: asyncio.StreamReader) -> bytes:
    """What came until the other side closed."""
    try:
        return await reader.read()
    except ConnectionError:
        return b""


@pytest.mark.parametrize("sent", [b"", b"POST /api/v1/funds HTTP/1.1\r\nHost: 127"])
async def test_a_head_has_a_bounded_time(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "HEAD_SECONDS", 0.1)
    async with running() as world, asyncio.timeout(60):
        port = int(world.api.rest_url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        assert await closed(reader) == b""
        writer.close()


async def test_a_second_head_has_a_bounded_time_and_silence_in_between_is_fine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server_module, "HEAD_SECONDS", 0.1)
    async with running() as world, asyncio.timeout(60):
        port = int(world.api.rest_url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        request = b"GET /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        for _ in range(2):
            writer.write(request)
            assert b"404" in await reader.readline()
            with pytest.raises(TimeoutError):
                while True:  # the rest of the answer, then nothing: still open after the limit
                    await asyncio.wait_for(reader.readline(), 0.3)
        writer.write(request[:20])
        assert b"HTTP" not in await closed(reader)
        assert reader.at_eof()
        writer.close()


async def test_a_body_has_a_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.1)
    async with running() as world, asyncio.timeout(60):
        port = int(world.api.rest_url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(
            b"POST /api/v1/funds HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{"
        )
        assert (await reader.readline()).split()[1] == b"408"
        writer.close()


async def test_a_key_makes_a_connection_known() -> None:
    async with running() as world:
        door = world.api.doorkeeper
        await world.post("funds", key="wrong")
        assert (len(door), door.strangers) == (1, 1)
        await world.post("funds")
        assert (len(door), door.strangers) == (1, 0)
        await world.http.aclose()
        await until(lambda: len(door) == 0, "the connection is forgotten")


CHILD = """
import asyncio, json, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))
from tests.unit.local_api.rest_world import running

async def main():
    async with running() as world:
        print(json.dumps([world.api.rest_url, world.api.ws_url]), flush=True)
        await asyncio.to_thread(sys.stdin.readline)

loop = sys.argv[1]
if loop == "uvloop":
    import uvloop
    asyncio.Runner(loop_factory=uvloop.new_event_loop).run(main())
else:
    asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of descriptors")
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
async def test_a_thousand_half_open_connections_shut_out_nobody(loop: str) -> None:
    import resource

    if loop == "uvloop":
        pytest.importorskip("uvloop")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, loop],
        cwd=Path(__file__).resolve().parents[3],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": "."},
        text=True,
    )
    crowd: list[socket.socket] = []
    try:
        assert child.stdout is not None
        rest, stream = json.loads(await asyncio.to_thread(child.stdout.readline))
        await served(rest, stream)
        for number in range(1200):
            port = int((rest, stream)[number % 2].rpartition(":")[2])
            one = socket.create_connection(("127.0.0.1", port), 60)
            one.sendall(b"POST /api/v1/funds HTTP/1.1\r\nHost: 127.0.0.1\r\n")
            crowd.append(one)
        await served(rest, stream)
    finally:
        for one in crowd:
            one.close()
        child.communicate("\n", timeout=60)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def served(rest: str, stream: str) -> None:
    """Both servers answer a new client with a key, at once."""
    import httpx
    from websockets.asyncio.client import connect

    async with asyncio.timeout(60):
        async with httpx.AsyncClient() as client:
            answer = await client.post(f"{rest}/api/v1/funds", json={"apikey": "good"})
            assert answer.status_code == 200
        async with connect(stream) as ws:
            await ws.send(json.dumps({"action": "authenticate", "api_key": "good"}))
            reply: dict[str, Any] = json.loads(await ws.recv())
            assert reply["status"] == "success"
