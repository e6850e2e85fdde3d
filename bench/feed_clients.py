"""CPU of a WebSocket client for each small frame of a feed: what a broker's stream costs before
anybody has looked into it.

    .venv/bin/python bench/feed_clients.py [--share 1.0] [--clients ours,picows,aiohttp,websockets]

The server is a process of its own and writes frames made beforehand; the client only counts them.
Judged by the processor time of the client's process (user and system, so the reads of the socket
are in it), the best of some rounds. *single* is one frame a write, 4,000 a second, so that each
wakes the loop; *burst* 20 frames a write, 40,000 a second; *flood* 200 a write, as
many a second. ``ours`` is the link of the kit, read in a task as its lane does; ``picows`` a
listener that only counts (the floor); the others are read one frame at a time, as their interface
has it.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import datetime as dt
import hashlib
import ipaddress
import json
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

CLIENTS = ("ours", "picows", "aiohttp", "websockets")
LOOPS = ("uvloop", "asyncio")
SIZES = (50, 200, 1000)
#: Frames a write and writes a second.
PATTERNS = {"single": (1, 4_000), "burst": (20, 2_000), "flood": (200, 200)}
#: Text frames and TLS are measured at this size; both cost by the byte.
USUAL = 200
ROUNDS = 3
SECONDS = 0.15
#: The aim of the issue: microseconds a frame. What is judged is the ratio to ``websockets`` in
#: bursts, because it survives a busy machine.
AIM, RATIO = 1.0, 3.0
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


# -- server ------------------------------------------------------------------------------------
def frame(kind: str, size: int) -> bytes:
    """An unmasked frame of the server."""
    head = bytes((0x81 if kind == "text" else 0x82,))
    length = bytes((size,)) if size < 126 else bytes((126,)) + size.to_bytes(2, "big")
    return head + length + b"x" * size


async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Shake hands, send what the query asks for, wait for the client to leave."""
    try:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        names = (line.partition(":") for line in lines[1:])
        headers = {name.lower(): value.strip() for name, _, value in names}
        key = headers["sec-websocket-key"].encode()
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept.encode() + b"\r\n\r\n"
        )
        asked = dict(parse_qsl(urlsplit(lines[0].split()[1]).query))
        together, rate = PATTERNS[asked["pattern"]]
        data = frame(asked["kind"], int(asked["size"])) * together
        await reader.readexactly(1)  # the client's go
        began, sent, writes = time.perf_counter(), 0, int(asked["count"]) // together
        while sent < writes:
            wait = began + sent / rate - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            writer.write(data)
            sent += 1
            await writer.drain()
        await reader.read()
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def serve(certificate: str) -> None:
    """Print the ports, plain and TLS, and serve until killed."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    plain = await asyncio.start_server(serve_one, "127.0.0.1", 0)
    secure = await asyncio.start_server(serve_one, "127.0.0.1", 0, ssl=context)
    print(*(server.sockets[0].getsockname()[1] for server in (plain, secure)), flush=True)
    await plain.serve_forever()


def make_certificate(path: Path) -> None:
    """A key and a certificate for this machine, good for a day, in one file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bench")])
    now = dt.datetime.now(dt.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    path.chmod(0o600)


# -- clients -----------------------------------------------------------------------------------
Reader = Callable[[int], Any]


@asynccontextmanager
async def websockets_client(url: str, context: ssl.SSLContext | None) -> AsyncIterator[Reader]:
    from websockets.asyncio.client import connect

    async with connect(url, ssl=context, max_queue=64, ping_interval=None) as connection:

        async def read(count: int) -> None:
            await connection.send(b"")
            for _ in range(count):
                await connection.recv()

        yield read
        connection.transport.abort()


@asynccontextmanager
async def aiohttp_client(url: str, context: ssl.SSLContext | None) -> AsyncIterator[Reader]:
    import aiohttp

    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url, ssl=context or True, timeout=aiohttp.ClientWSTimeout(0, 0)) as ws,
    ):

        async def read(count: int) -> None:
            await ws.send_bytes(b"")
            for _ in range(count):
                (await ws.receive()).data  # noqa: B018

        yield read


@asynccontextmanager
async def picows_client(url: str, context: ssl.SSLContext | None) -> AsyncIterator[Reader]:
    import picows

    class Counter(picows.WSListener):
        left = 0
        done: asyncio.Future[None]

        def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
            if frame.msg_type == picows.WSMsgType.TEXT:
                frame.get_payload_as_utf8_text()
            else:
                frame.get_payload_as_bytes()
            self.left -= 1
            if self.left == 0:
                self.done.set_result(None)

    transport, listener = await picows.ws_connect(Counter, url, ssl_context=context)
    assert isinstance(listener, Counter)

    async def read(count: int) -> None:
        listener.left, listener.done = count, asyncio.get_running_loop().create_future()
        transport.send(picows.WSMsgType.BINARY, b"")
        await listener.done

    yield read
    transport.disconnect(False)


@asynccontextmanager
async def our_client(url: str, context: ssl.SSLContext | None) -> AsyncIterator[Reader]:
    from openalgo_desktop.brokers.kit.feed.links import websocket
    from openalgo_desktop.brokers.kit.feed.links.base import Address
    from openalgo_desktop.brokers.kit.spec import StreamSpec

    if context is not None:
        websocket._tls = lambda: context  # type: ignore[assignment]
    link = await websocket.open_link(Address(url), StreamSpec(url="", codec=dict))

    async def read(count: int) -> None:
        await link.send(b"")
        while count > 0:
            for _ in await link.receive():
                count -= 1

    yield read
    link.abort()
    await link.close()


READERS = {
    "ours": our_client,
    "websockets": websockets_client,
    "aiohttp": aiohttp_client,
    "picows": picows_client,
}


async def measured(client: str, cases: list[dict[str, Any]], certificate: str) -> list[float]:
    """Microseconds of processor time a frame, for each case."""
    found = []
    for case in cases:
        context = ssl.create_default_context(cafile=certificate) if case["tls"] else None
        best = float("inf")
        for _ in range(ROUNDS):
            async with READERS[client](case["url"], context) as read:
                before = time.process_time()
                await read(case["count"])
                best = min(best, time.process_time() - before)
        found.append(1e6 * best / case["count"])
    return found


def run_client(client: str, loop: str) -> None:
    """In a process of its own: cases from standard input, figures to standard output."""
    asked = json.load(sys.stdin)
    work = measured(client, asked["cases"], asked["certificate"])
    if loop == "uvloop":
        import uvloop

        found = uvloop.run(work)
    else:
        found = asyncio.run(work)
    json.dump(found, sys.stdout)


# -- the table ---------------------------------------------------------------------------------
def cases_of(ports: tuple[int, int], share: float) -> list[dict[str, Any]]:
    """What is measured, in the order of the columns."""
    cases = []
    for kind, tls, sizes in (
        ("binary", False, SIZES),
        ("text", False, (USUAL,)),
        ("binary", True, (USUAL,)),
    ):
        for size in sizes:
            for pattern, (together, rate) in PATTERNS.items():
                count = max(1, int(rate * SECONDS * share)) * together
                port = ports[1] if tls else ports[0]
                query = f"kind={kind}&size={size}&pattern={pattern}&count={count}"
                url = f"{'wss' if tls else 'ws'}://127.0.0.1:{port}/?{query}"
                name = f"{'tls' if tls else kind} {size}"
                cases.append(
                    {"name": name, "pattern": pattern, "url": url, "count": count, "tls": tls}
                )
    return cases


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--share", type=float, default=1.0, help="of the usual length")
    parser.add_argument("--clients", default=",".join(CLIENTS))
    parser.add_argument("--as-client", nargs=2, metavar=("CLIENT", "LOOP"), help=argparse.SUPPRESS)
    parser.add_argument("--as-server", metavar="CERTIFICATE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.as_server:
        asyncio.run(serve(options.as_server))
    if options.as_client:
        run_client(*options.as_client)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        certificate = Path(folder) / "certificate.pem"
        make_certificate(certificate)
        command = [sys.executable, __file__, "--as-server", str(certificate)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout is not None
                plain, secure = map(int, server.stdout.readline().split())
                return table((plain, secure), str(certificate), options)
            finally:
                server.terminate()


def table(ports: tuple[int, int], certificate: str, options: argparse.Namespace) -> int:
    """Print it; whether the aim is reached."""
    cases = cases_of(ports, options.share)
    names = dict.fromkeys(case["name"] for case in cases)
    print("microseconds of CPU a frame: single / bursts of 20 / of 200")
    print(f"{'':20s}" + "".join(f"{name:>20s}" for name in names))
    judged = [case["name"] for case in cases].index(f"binary {USUAL}")
    on_usual: dict[str, list[float]] = {}
    for loop in LOOPS:
        for client in options.clients.split(","):
            done = subprocess.run(
                [sys.executable, __file__, "--as-client", client, loop],
                input=json.dumps({"cases": cases, "certificate": certificate}),
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            found = json.loads(done.stdout)
            rows = [found[at : at + len(PATTERNS)] for at in range(0, len(found), len(PATTERNS))]
            texts = [f"{one:5.1f} /{many:5.2f} /{most:5.2f}" for one, many, most in rows]
            print(f"{client:12s}{loop:8s}" + "".join(f"{text:>20s}" for text in texts), flush=True)
            if loop == LOOPS[0]:
                on_usual[client] = found[judged : judged + len(PATTERNS)]
    if not {"ours", "websockets"} <= set(on_usual):
        return 0
    _, many, most = on_usual["ours"]
    ratio = on_usual["websockets"][1] / many
    print(
        f"binary {USUAL} on {LOOPS[0]}: bursts {ratio:.1f} times cheaper than websockets (limit "
        f"{RATIO:g}); dense {most:.2f} (aim {AIM:g})"
    )
    return 0 if ratio >= RATIO else 1


if __name__ == "__main__":
    raise SystemExit(main())
