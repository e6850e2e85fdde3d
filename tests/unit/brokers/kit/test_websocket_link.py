"""The WebSocket link against servers that behave well, badly or not at all."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime as dt
import hashlib
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from websockets.asyncio.server import ServerConnection, serve

from openalgo_desktop.brokers.kit.feed.codec import Frame, Message
from openalgo_desktop.brokers.kit.feed.links import open_link, websocket
from openalgo_desktop.brokers.kit.feed.links.base import MAX_QUEUE, Address, Link, LinkClosed
from openalgo_desktop.brokers.kit.feed.links.inbox import Inbox
from openalgo_desktop.brokers.kit.rest.errors import DoubtfulSession
from openalgo_desktop.brokers.kit.spec import StreamSpec
from openalgo_desktop.core.errors import AppError, NetError, NetTimeout, ProtocolError, RateLimited
from openalgo_desktop.core.proxies import proxy_for
from tests.costs import times_dearer
from tests.waiting import until

SPEC = StreamSpec(url="", codec=dict, max_frame=100_000)
PROXIES = ("all_proxy", "http_proxy", "https_proxy", "ws_proxy", "wss_proxy", "no_proxy")
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@asynccontextmanager
async def server(
    talk: Callable[[ServerConnection], Awaitable[None]], **options: object
) -> AsyncIterator[str]:
    """A server of the ``websockets`` library; gives its address."""
    async with serve(talk, "127.0.0.1", 0, ping_interval=None, **options) as running:  # type: ignore[arg-type]
        yield f"ws://127.0.0.1:{running.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def raw(talk: Talk, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server that writes what it likes; gives its port."""
    writers: list[asyncio.StreamWriter] = []

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await talk(reader, writer)

    running = await asyncio.start_server(run, "127.0.0.1", 0, ssl=context)
    try:
        yield running.sockets[0].getsockname()[1]
    finally:
        running.close()
        for writer in writers:
            writer.transport.abort()


async def shake(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
    """The server's half of a handshake; gives the request."""
    request = (await reader.readuntil(b"\r\n\r\n")).decode()
    names = (line.partition(":") for line in request.split("\r\n")[1:])
    key = {name.lower(): value.strip() for name, _, value in names}["sec-websocket-key"]
    digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
    )
    return request


def frames(*parts: tuple[int, bytes]) -> bytes:
    """Unmasked frames of first bytes and payloads."""
    out = b""
    for first, data in parts:
        size = len(data)
        length = bytes((size,)) if size < 126 else bytes((126,)) + size.to_bytes(2, "big")
        out += bytes((first,)) + length + data
    return out


async def all_of(link: Link) -> tuple[list[Frame], str]:
    """Every frame until the end, and why it ended."""
    found: list[Frame] = []
    try:
        async with asyncio.timeout(60):
            while True:
                found += await link.receive()
    except LinkClosed as closed:
        return found, closed.message


async def spoken(data: bytes) -> tuple[list[Frame], str]:
    """What a client makes of a server that sends these bytes and waits."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await shake(reader, writer)
        writer.write(data)
        await reader.read()

    async with raw(talk) as port:
        link = await open_link(Address(f"ws://127.0.0.1:{port}"), SPEC)
        try:
            return await all_of(link)
        finally:
            await link.close()


# -- frames ------------------------------------------------------------------------------------
async def test_frames_go_and_come_in_their_order() -> None:
    async def echo(connection: ServerConnection) -> None:
        async for frame in connection:
            await connection.send(frame)

    async with server(echo) as url:
        link = await open_link(Address(url), SPEC)
        sent: list[Frame] = ["a", b"b", "₹", b"", "", b"x" * 70_000]
        for frame in sent:
            await link.send(frame)
        found: list[Frame] = []
        while len(found) < len(sent):
            found += await link.receive()
        assert found == sent
        with pytest.raises(ProtocolError, match="no topics"):
            await link.send(Message("topic", "x"))
        await link.close()
        with pytest.raises(LinkClosed):
            await link.send("late")
        with pytest.raises(LinkClosed):
            await link.receive()


async def test_the_request_carries_headers_and_says_who_asks() -> None:
    heard: list[dict[str, str]] = []

    async def note(connection: ServerConnection) -> None:
        assert connection.request is not None
        heard.append({name.lower(): text for name, text in connection.request.headers.items()})

    async with server(note) as url:
        link = await open_link(Address(url, {"Authorization": "token k:t"}), SPEC)
        await all_of(link)
        await link.close()
    assert heard[0]["authorization"] == "token k:t"
    assert heard[0]["user-agent"] == "openalgo-desktop"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (1000, "The feed closed the connection (1000: why)."),
        (1012, "The feed closed the connection (1012: why)."),
        (4001, "The feed closed the connection (4001: why)."),
        (0, "The feed's connection broke."),
    ],
)
async def test_the_end_has_code_and_reason_after_all_frames(code: int, said: str) -> None:
    async def leave(connection: ServerConnection) -> None:
        for n in range(3):
            await connection.send(str(n))
        if code:
            await connection.close(code, "why")
        else:
            connection.transport.abort()

    async with server(leave) as url:
        link = await open_link(Address(url), SPEC)
        assert await all_of(link) == (["0", "1", "2"], said)
        assert await all_of(link) == ([], said)  # whoever asks again hears it again
        await link.close()


async def test_a_message_in_pieces_is_one_frame() -> None:
    data = frames(
        (0x01, "₹1".encode()[:2]), (0x89, b"ping"), (0x00, "₹1".encode()[2:3]),
        (0x80, b"1"), (0x02, b"a"), (0x80, b"b"), (0x82, b"c"), (0x88, b""),
    )  # fmt: skip
    assert await spoken(data) == (["₹1", b"ab", b"c"], "The feed closed the connection (1005).")


async def test_many_pieces_cost_as_much_as_they_are() -> None:
    def take(count: int) -> None:
        link = websocket.WebSocketLink(1 << 20, 15.0)
        link._piece(_Piece(), websocket._BINARY)
        for _ in range(count):
            link._piece(_Piece(), websocket._CONTINUATION)
        assert link._size == count + 1

    # Eight times as many; what grew with their square took 40 times as long.
    assert times_dearer(lambda: take(4_000), lambda: take(500)) < 20


class _Piece:
    """A frame of a message without end."""

    fin = False

    def get_payload_as_bytes(self) -> bytes:
        return b"1"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (frames((0x81, b"\xff\xfe")), "not UTF-8"),
        (frames((0x01, b"\xff"), (0x80, b"\xfe")), "not UTF-8"),
        (frames((0x80, b"nothing before")), "pieces out of order"),
        (frames((0x02, b"a"), (0x82, b"b")), "pieces out of order"),
        (frames((0x83, b"opcode")), "broke the rules"),
        (bytes((0x82, 0x81, 1, 2, 3, 4, 5)), "masked"),
        (frames((0x88, b"\x03")), "broke the rules"),
        (bytes((0x82, 127)) + (200_000).to_bytes(8, "big") + bytes(200_000), "max allowed size"),
        (frames(*[(0x02, bytes(60_000)), (0x80, bytes(60_000))]), "too big"),
        (frames((0x02, b"1"), *[(0x00, b"1")] * 5_000), "too many pieces"),
        (frames((0x02, b""), *[(0x00, b"")] * 5_000), "too many pieces"),
        (frames(*[(0x89, b"")] * 500), "too many pings"),
        (frames(*[(0x8A, b"")] * 500), "too many pings"),
    ],
    ids=[
        "text", "text in pieces", "no beginning", "no end", "opcode", "masked", "close",
        "too big", "too big in pieces", "tiny pieces", "empty pieces",
        "pings", "pongs",
    ],
)  # fmt: skip
async def test_what_breaks_the_rules_ends_the_line(data: bytes, said: str) -> None:
    found, why = await spoken(frames((0x82, b"good")) + frames((0x82, b"more")) + data)
    assert found in ([b"good", b"more"], [b"good"])
    assert said in why


async def test_who_does_not_read_slows_the_server() -> None:
    sent = 0

    async def flood(connection: ServerConnection) -> None:
        nonlocal sent
        for n in range(4000):
            await connection.send(n.to_bytes(2, "big") + bytes(5_000))
            sent += 1
        await connection.close()

    async with server(flood) as url:
        link = await open_link(Address(url), SPEC)
        before = -1
        while before != sent:  # until it stands still
            before = sent
            for _ in range(200):
                await asyncio.sleep(0.001)
        assert MAX_QUEUE <= sent < 3000
        found, why = await all_of(link)
        await link.close()
    assert [int.from_bytes(frame[:2], "big") for frame in found] == list(range(4000))  # type: ignore[arg-type]
    assert "1000" in why


async def test_a_flood_of_tiny_frames_leaves_the_loop_to_others() -> None:
    count, most, now, done = 200_000, 0, 0, asyncio.Event()

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await shake(reader, writer)
        writer.write(bytes((0x82, 0)) * count + frames((0x88, b"\x03\xe8")))
        await writer.drain()
        await done.wait()

    async def turns() -> None:
        nonlocal now
        while True:
            now = 0
            await asyncio.sleep(0)

    async with await asyncio.start_server(flood, "127.0.0.1", 0) as peer:
        port = peer.sockets[0].getsockname()[1]
        link = await open_link(Address(f"ws://127.0.0.1:{port}/"), SPEC)
        watch, found = asyncio.create_task(turns()), 0
        with pytest.raises(LinkClosed, match="1000"):
            while True:
                come = len(await link.receive())
                found += come
                now += come
                most = max(most, now)
        watch.cancel()
        done.set()
    assert found == count
    # One read of the line; two when the reader took the first in the turn of the second.
    assert most <= 2 * websocket._SIP // 2


async def test_a_link_that_is_not_read_says_good_bye() -> None:
    ended: list[int | None] = []

    async def flood(connection: ServerConnection) -> None:
        with contextlib.suppress(Exception):
            while True:
                await connection.send(bytes(5_000))
        ended.append(connection.close_code)

    async with server(flood) as url:
        link = await open_link(Address(url), SPEC)
        await until(lambda: link._inbox.paused, "back-pressure")  # type: ignore[attr-defined]
        await link.close()
        await until(lambda: ended, "the end")


# -- pings -------------------------------------------------------------------------------------
@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "PING_INTERVAL", 0.03)
    monkeypatch.setattr(websocket, "PING_TIMEOUT", 0.2)


async def counted(reader: asyncio.StreamReader, heard: list[int]) -> None:
    """Note the opcodes of the short frames that come."""
    while True:
        head = await reader.readexactly(2)
        heard.append(head[0] & 15)
        await reader.readexactly(4 + (head[1] & 127))


async def test_an_unanswered_ping_ends_the_line(quick: None) -> None:
    heard: list[int] = []

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await shake(reader, writer)
        await counted(reader, heard)

    async with raw(mute) as port:
        link = await open_link(Address(f"ws://127.0.0.1:{port}"), SPEC)
        assert await all_of(link) == ([], "The feed did not answer a ping.")
        await link.close()
    assert heard.count(9) >= 3  # pings go on while one is open


@pytest.mark.parametrize("answer", [frames((0x8A, b"")), frames((0x82, b"data"))])
async def test_whatever_comes_answers_a_ping(quick: None, answer: bytes) -> None:
    heard: list[int] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await shake(reader, writer)
        counting = asyncio.create_task(counted(reader, heard))
        while heard.count(9) < 20:  # three times the limit
            writer.write(answer)
            await asyncio.sleep(0.02)
        counting.cancel()
        writer.write(frames((0x88, b"\x03\xe8")))

    async with raw(talk) as port:
        link = await open_link(Address(f"ws://127.0.0.1:{port}"), SPEC)
        assert (await all_of(link))[1] == "The feed closed the connection (1000)."
        await link.close()


async def test_a_ping_of_the_server_is_answered() -> None:
    async def ask(connection: ServerConnection) -> None:
        await (await connection.ping(b"there?"))
        await connection.send("it is")

    async with server(ask) as url:
        link = await open_link(Address(url), SPEC)
        assert (await all_of(link))[0] == ["it is"]
        await link.close()


# -- connections that do not come about --------------------------------------------------------
def answering(text: str) -> Talk:
    """A server that gives this answer."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(text.encode())
        writer.close()

    return talk


@pytest.mark.parametrize(
    ("head", "kind", "said"),
    [
        ("401 Unauthorized", DoubtfulSession, "HTTP 401"),
        ("403 Forbidden\r\nContent-Type: application/json", DoubtfulSession, "HTTP 403"),
        ("403 Forbidden\r\nContent-Type: text/HTML", NetError, "HTTP 403"),
        ("429 Slow", RateLimited, "HTTP 429"),
        ("503 Busy", NetError, "HTTP 503"),
        ("302 Found", NetError, "HTTP 302"),
        ("302 Found\r\nLocation: http://127.0.0.1/x", NetError, "not safe"),
        ("302 Found\r\nLocation: ws://127.0.0.1:1/x", NetError, "cannot be reached"),
        ("302 Found\r\nLocation: /again", NetError, "more than 3 times"),
        ("101 Switching\r\nUpgrade: h2c", NetError, "cannot be reached"),
        ("what", NetError, "cannot be reached"),
    ],
)
async def test_a_refused_connection(head: str, kind: type[AppError], said: str) -> None:
    async with raw(answering(f"HTTP/1.1 {head}\r\n\r\n")) as port:
        with pytest.raises(kind, match=said) as caught:
            await open_link(Address(f"ws://127.0.0.1:{port}"), SPEC)
    assert type(caught.value) is kind


async def test_a_server_that_hangs_up_before_it_answers() -> None:
    async with raw(answering("")) as port:
        with pytest.raises(NetError, match="before it answered"):
            await open_link(Address(f"ws://127.0.0.1:{port}"), SPEC)


async def test_a_server_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "OPEN_TIMEOUT", 0.1)
    left = asyncio.Event()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        left.set()

    async with raw(wait) as port:
        with pytest.raises(NetTimeout, match=r"did not answer within 0\.1 s"):
            await open_link(Address(f"ws://127.0.0.1:{port}"), SPEC)
        await asyncio.wait_for(left.wait(), 60)


async def test_who_stops_waiting_leaves_no_connection() -> None:
    asked, left = asyncio.Event(), asyncio.Event()
    go = asyncio.Event()

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await go.wait()
        await shake(reader, writer)
        await reader.read()
        left.set()

    async with raw(late) as port:
        opening = asyncio.create_task(open_link(Address(f"ws://127.0.0.1:{port}"), SPEC))
        await asyncio.wait_for(asked.wait(), 60)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        go.set()  # the answer comes when nobody wants it
        await asyncio.wait_for(left.wait(), 60)


async def test_a_redirect_takes_no_key_to_another_host() -> None:
    requests: list[str] = []

    async def target(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await shake(reader, writer))
        writer.write(frames((0x81, b"hello")))
        await reader.read()

    async with raw(target) as there:
        place = f"Location: ws://127.0.0.1:{there}/feed?code=1"
        async with raw(answering(f"HTTP/1.1 302 Found\r\n{place}\r\n\r\n")) as here:
            headers = {"Authorization": "secret", "X-Plain": "yes"}
            link = await open_link(Address(f"ws://127.0.0.1:{here}/", headers), SPEC)
            assert await link.receive() == ["hello"]
            await link.close()
    assert requests[0].startswith("GET /feed?code=1 ")
    assert "secret" not in requests[0] and "X-Plain: yes" in requests[0]


# -- TLS and proxies ---------------------------------------------------------------------------
@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Key and certificate of this machine, which nobody knows, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    names = [
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        x509.DNSName("feed.example"),
    ]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def tls_server(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A feed that says hello and waits."""
    await shake(reader, writer)
    writer.write(frames((0x81, b"hello")))
    await reader.read()


async def test_a_certificate_that_nobody_knows_is_refused(certificate: Path) -> None:
    async with raw(greet, tls_server(certificate)) as port:
        with pytest.raises(NetError, match="SSLCertVerificationError"):
            await open_link(Address(f"wss://127.0.0.1:{port}"), SPEC)


async def test_tls(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(websocket, "tls", lambda: context)
    async with raw(greet, tls_server(certificate)) as port:
        link = await open_link(Address(f"wss://127.0.0.1:{port}"), SPEC)
        assert await link.receive() == ["hello"]
        await link.send("x" * 100_000)
        await link.close()


def tunnel(port: int, asked: list[str]) -> Talk:
    """A proxy that leads everybody to this port; 0: nobody anywhere."""

    async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                target.write(data)
            target.close()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        if not port:
            writer.write(b"HTTP/1.1 407 Who are you\r\n\r\n")
            await reader.read()
            return
        there, back = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Go on\r\n\r\n")
        await asyncio.gather(copy(reader, back), copy(there, writer))

    return talk


async def test_a_proxy_of_the_environment_is_used(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(websocket, "tls", lambda: context)
    asked: list[str] = []
    async with (
        raw(greet, tls_server(certificate)) as port,
        raw(tunnel(port, asked)) as proxy,
    ):
        monkeypatch.setenv("https_proxy", f"http://user:word@127.0.0.1:{proxy}")
        link = await open_link(Address("wss://feed.example/ws?token=secret"), SPEC)
        assert await link.receive() == ["hello"]
        await link.close()
    assert asked[0].startswith("CONNECT feed.example:443 ")
    assert "secret" not in asked[0]
    assert base64.b64encode(b"user:word").decode() in asked[0]


async def test_a_proxy_that_refuses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async with raw(tunnel(0, [])) as proxy:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy}")
        with pytest.raises(NetError, match="proxy refuses"):
            await open_link(Address("wss://feed.example/ws"), SPEC)


async def test_a_socks_proxy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:9")
    with pytest.raises(NetError, match="all_proxy asks for a SOCKS proxy"):
        await open_link(Address("wss://feed.example/ws"), SPEC)


def test_which_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    assert proxy_for("wss://feed.example/ws") is None
    monkeypatch.setenv("http_proxy", "http://h:1")
    assert proxy_for("wss://feed.example/ws") is None
    assert proxy_for("ws://feed.example/ws") == "http://h:1"
    monkeypatch.setenv("https_proxy", "s:2")
    assert proxy_for("wss://feed.example:8443/ws") == "http://s:2"
    assert proxy_for("ws://127.0.0.1:8765/ws") is None
    monkeypatch.setenv("wss_proxy", "http://w:3")
    assert proxy_for("wss://feed.example/ws") == "http://w:3"
    monkeypatch.setenv("no_proxy", "feed.example")
    assert proxy_for("wss://feed.example/ws") is None


# -- the inbox ---------------------------------------------------------------------------------
async def test_the_inbox_holds_back_and_lets_go() -> None:
    calls: list[str] = []
    inbox = Inbox(lambda: calls.append("pause"), lambda: calls.append("resume"), limit=3)
    for n in range(5):
        inbox.put(str(n))
    assert calls == ["pause"] and inbox.paused
    assert await inbox.take() == ["0", "1", "2", "3", "4"]
    assert calls == ["pause", "resume"] and inbox.count == 5
    waiting = asyncio.create_task(inbox.take())
    await asyncio.sleep(0)
    inbox.put("a")
    inbox.put("b")
    assert await waiting == ["a", "b"]
    inbox.put("last")
    inbox.end("over")
    inbox.end("later")
    assert await inbox.take() == ["last"]
    with pytest.raises(LinkClosed, match="over"):
        await inbox.take()
