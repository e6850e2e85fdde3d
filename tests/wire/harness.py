"""Runs one recorded case against an adapter of the registry: serves the replies and collects the
requests. What an operation does is in :mod:`tests.wire.ops`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import httpx

from openalgo_desktop.brokers.kit.account.api import BrokerApi
from openalgo_desktop.brokers.kit.account.session import Session
from openalgo_desktop.brokers.kit.broker import Broker
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.kit.spec import BrokerSpec
from openalgo_desktop.core.clock import IST, ManualClock
from tests.sizes import proved
from tests.wire.folders import Steps, steps_of
from tests.wire.uniform import instrument
from tests.wire.vectors import Names, VectorFile

TAG = "Owirevectortag0001"


def names_of(spec: BrokerSpec) -> Names:
    """The names under which rules and steps of a broker are filed: its id, its family."""
    return tuple(name for name in (spec.id, spec.family) if name)


def session_values(broker: Broker, recorded: Mapping[str, Any]) -> dict[str, str]:
    """Values of a logged-in session, named as the adapter names them.

    Everything that the recording names (``api_key``, ``market_api_key``, ``feed_token``,
    ``client_id``, the parts of the token ...) is there under its own name. A value of the
    session that it does not name is the feed's token where its name says so, else the stored
    token: the adapter's folder says otherwise in ``steps.py``.
    """
    values = {k: v for k, v in recorded.items() if isinstance(v, str) and v}
    values |= {k: str(v) for k, v in (recorded.get("token_parts") or {}).items() if v}
    token, feed = recorded.get("auth_token"), recorded.get("feed_token")
    for login in broker.spec.logins:
        for name in login.session:
            of_feed = feed and ("feed" in name or "market" in name)
            if name not in values and (value := feed if of_feed else token):
                values[name] = value
    steps = steps_of(names_of(broker.spec))
    return values | dict(steps.session(recorded) if steps.session is not None else {})


class Server:
    """Recorded replies instead of a network; keeps the requests that came."""

    def __init__(self, clock: ManualClock, replies: Iterable[Mapping[str, Any]] = ()) -> None:
        self.sent: list[httpx.Request] = []
        self.replies = list(replies)
        self._clock = clock

    @property
    def transport(self) -> httpx.MockTransport:
        """Itself, for a client."""
        return httpx.MockTransport(self._serve)

    async def _serve(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        # A limit of one call a second must not slow the recordings down.
        self._clock.advance(61)
        if not self.replies:
            return httpx.Response(500, text="no reply was recorded for this request")
        reply = self.replies.pop(0)
        headers = reply.get("headers") or {}
        body = reply.get("body")
        if isinstance(body, str):
            return httpx.Response(reply["status"], text=body, headers=headers)
        content = json.dumps(body).encode() if body is not None else b""
        headers = {"content-type": "application/json", **headers}
        return httpx.Response(reply["status"], content=content, headers=headers)


class Wire:
    """One adapter with recorded replies instead of a network, logged in."""

    def __init__(
        self, broker: Broker, file: VectorFile, replies: Iterable[Mapping[str, Any]] = ()
    ) -> None:
        clock = file.data.get("clock")
        self.clock = ManualClock(datetime.fromisoformat(clock) if clock else datetime.now(IST))
        self.broker = broker
        self.steps: Steps = steps_of(names_of(broker.spec))
        self.index = BrokerIndex(instrument(row) for row in file.section("symbols"))
        self.server = Server(self.clock, replies)
        self.session = Session(session_values(broker, file.data.get("session") or {}))
        self.session.open = True
        self.rest = RestClient(
            broker.spec, self.session, self.clock, transport=self.server.transport
        )
        self.api: BrokerApi = broker.api(broker.spec, self.rest, self.index, self.clock)
        rows = (instrument(row) for row in file.section("symbols"))
        self.api.sizes.proofs = proved(rows, broker.spec)  # the recording's own lots

    @property
    def sent(self) -> list[httpx.Request]:
        """The requests that left, in order."""
        return self.server.sent
