"""A NATS server of few verbs. Source: https://docs.nats.io/reference/reference-protocols/nats-protocol"""

from __future__ import annotations

import asyncio
import json

from tests.emulators.transports.base import PASSWORD, USER, StreamPeer


class NatsServer(StreamPeer):
    """Subjects ``price.A`` with the price as text."""

    scheme = "nats"
    secure = "tls"
    transport = "nats"
    nonce = "a-nonce"

    def __init__(self) -> None:
        super().__init__()
        self.logins: list[dict[str, object]] = []
        self.subjects: dict[asyncio.StreamWriter, dict[str, str]] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        info = {"server_id": "S", "version": "2.10.0", "max_payload": 1 << 20, "proto": 1}
        info |= {"auth_required": True, "nonce": self.nonce, "headers": True}
        if self.busy:
            return
        writer.write(f"INFO {json.dumps(info)}\r\n".encode())
        while line := await reader.readline():
            if self.half_open:
                continue
            verb, _, rest = line.decode().strip().partition(" ")
            if verb == "CONNECT" and not self._log_in(json.loads(rest)):
                writer.write(b"-ERR 'Authorization Violation'\r\n")
                return
            if verb == "CONNECT":
                self.total += 1
                self.writers.add(writer)
                self.subjects[writer] = {}
            elif verb == "PING":
                writer.write(b"PONG\r\n")
            elif verb == "SUB":
                subject, sid = rest.split()
                self.subjects[writer][sid] = subject
                if not self.sees(subject.removeprefix("price.")):
                    reason = f'Permissions Violation for Subscription to "{subject}"'
                    writer.write(f"-ERR '{reason}'\r\n".encode())
            elif verb == "UNSUB":
                subject = self.subjects[writer].pop(rest.split()[0])
                self.sees(subject.removeprefix("price."), on=False)
        self.farewells += 1

    def _log_in(self, said: dict[str, object]) -> bool:
        self.logins.append(said)
        known = (said.get("user"), said.get("pass")) == (USER, PASSWORD) or "sig" in said
        return known and not self.refuse

    async def price(self, symbol: str, *prices: float) -> None:
        for writer in tuple(self.writers):
            found = [sid for sid, s in self.subjects[writer].items() if s == f"price.{symbol}"]
            for price in prices:
                text = f"{price:g}"
                for sid in found:
                    head = f"MSG price.{symbol} {sid} {len(text)}\r\n"
                    writer.write(f"{head}{text}\r\n".encode())
                await writer.drain()
