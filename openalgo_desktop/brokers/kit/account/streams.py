"""The feeds of one account: each connects, fails and comes back by itself.

The market feed gives the prices and decides whether the account counts as connected. What carries
order updates feeds the gateway; while one of these is down the order book is asked instead.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from openalgo_desktop.brokers.kit.account.gateway import KitGateway, KitMarket
from openalgo_desktop.brokers.kit.books.polling import BookPoller
from openalgo_desktop.brokers.kit.feed.codec import StreamCodec
from openalgo_desktop.brokers.kit.feed.links.base import Address, OpenLink, address_of
from openalgo_desktop.brokers.kit.feed.stream import StreamClient, StreamListener, StreamState
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.kit.rest.values import pick
from openalgo_desktop.brokers.kit.spec import StreamSpec
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import AccountState
from openalgo_desktop.core.errors import AppError, AuthError, NetError

log = logging.getLogger(__name__)


class AccountStreams:
    """Opens the streams of a spec and says what they mean for the account.

    ``require_login`` raises while there is no session, ``expired`` is told when a feed finds it
    over, ``report`` hears the state of the account's feeds with its message.
    """

    def __init__(
        self,
        rest: RestClient,
        index: BrokerIndex,
        clock: Clock,
        *,
        market: KitMarket,
        gateway: KitGateway,
        poller: BookPoller,
        require_login: Callable[[], None],
        expired: Callable[[str], None],
        report: Callable[[AccountState, str], None],
        market_open: Callable[[str], bool],
        open_link: OpenLink | None = None,
    ) -> None:
        self._rest = rest
        self._index = index
        self._clock = clock
        self._market = market
        self._gateway = gateway
        self._poller = poller
        self._require_login = require_login
        self._expired = expired
        self._report = report
        self._market_open = market_open
        self._open_link = open_link
        self._messages: dict[str, str] = {}  # of the streams that are down or mute
        self._pushed = False  # what push_alive was
        self.clients = {spec.id: self._client(spec) for spec in rest.spec.streams}
        rest.second.on_renewed = self._renewed
        main = rest.spec.stream
        #: The feed with the prices.
        self.market = self.clients[main.id] if main is not None else None
        if self.market is not None:
            others = (c for c in self.clients.values() if c.spec.market and c is not self.market)
            market.attach(self.market, tuple(others))

    def _client(self, spec: StreamSpec) -> StreamClient:
        listener = StreamListener()
        listener.state = lambda state, message: self._changed(spec, state, message)
        if spec.market:
            listener.tick = self._market.publish
            listener.refused = self._market.refused
        if spec.orders:
            listener.order = self._gateway.pushed
            listener.resumed = self._poller.poke
        used: list[str] = []  # the second session that it connected with

        async def prepare() -> tuple[Address, StreamCodec]:
            self._require_login()
            used[:] = await self._rest.second.ready(spec.renew) if spec.renew else ()
            values = await self._values(spec)
            address = address_of(spec, self._rest.hosts, values)
            return address, spec.codec(self._index, self._clock, values)

        async def verify(error: AuthError) -> AppError:
            if spec.renew:
                return await self._rest.second.refused(spec.renew, used, error)
            if not self._rest.session.open:  # a request found that, or somebody logged out
                return error
            # Whatever a feed says, and however sure its codec is: only a read ends the session.
            return await self._rest.doubted(error, NetError)

        title = self._rest.spec.title
        return StreamClient(
            spec,
            prepare,
            self._clock,
            listener,
            title=title if spec.market else f"{title} {spec.id}",
            market_open=self._market_open,
            request=self._rest.op,
            verify=verify,
            open_link=self._open_link,
        )

    async def _values(self, spec: StreamSpec) -> dict[str, Any]:
        """The session's values with what the spec fetches before each connecting."""
        values = self._rest.session.context()
        for call in spec.fetch:
            try:
                data = await self._rest.call(call.op, values, f"{spec.id} feed")
            except AppError as error:
                if not call.optional or isinstance(error, AuthError):
                    raise
                log.info("%s feed: goes without %s: %s", spec.id, ", ".join(call.gives), error)
                continue
            for name, path in call.gives.items():
                if (value := pick(data, path)) is not None:
                    values[name] = value if isinstance(value, (dict, list)) else str(value)
        return values

    # -- life -------------------------------------------------------------------------------
    async def start(self) -> None:
        """Open all feeds, those that are open anew: they still have the former session."""
        await self.stop()
        for client in self.clients.values():
            await client.start()

    async def stop(self) -> None:
        """Close all feeds; subscriptions are kept, what they brought is not."""
        self._messages.clear()
        self._pushed = False
        self._market.lost()
        self._market.muted("")
        running = [c for c in self.clients.values() if c.state is not StreamState.CLOSED]
        await asyncio.gather(*(client.stop() for client in running))
        self._market.lost()

    def _renewed(self, name: str) -> None:
        """The broker keeps one second session at a time: feeds of the former one are dead."""
        for client in self.clients.values():
            if client.spec.renew == name:
                client.reconnect(f"A new {name} session was begun.")

    # -- what they report -------------------------------------------------------------------
    @property
    def push_alive(self) -> bool:
        """Whether order changes are pushed now, so that the book need not be asked often: each
        feed of orders has accepted the log-in. One that has prices too may miss those."""
        pushing = [client for client in self.clients.values() if client.spec.orders]
        return bool(pushing) and all(
            client.state is StreamState.LIVE
            or (client.state is StreamState.STALE and client.spec.market)
            for client in pushing
        )

    def _changed(self, spec: StreamSpec, state: StreamState, message: str) -> None:
        main = self.market is not None and spec is self.market.spec
        if main and state is not StreamState.LIVE:
            self._market.lost()  # also after the session: its prices are not those of the next
        if not self._rest.session.open:
            return
        pushed, self._pushed = self._pushed, self.push_alive
        if pushed and not self._pushed:
            self._poller.poke()
        if state is StreamState.LOGIN_NEEDED:
            self._expired(message)
            return
        if state is StreamState.DOWN:
            self._messages[spec.id] = message or "the feed is lost; reconnecting"
        elif state is StreamState.STALE:
            self._messages[spec.id] = message or "The feed is silent."
        elif state is StreamState.LIVE:
            self._messages.pop(spec.id, None)
        else:
            return
        if main:
            self._market.muted(self._messages[spec.id] if state is StreamState.STALE else "")
        self._report(*self._found())

    def _found(self) -> tuple[AccountState, str]:
        """The account as its feeds have it."""
        market = self.market
        main = market.spec.id if market is not None else ""
        found = [self._messages[main]] if main in self._messages else []
        for name, problem in self._messages.items():
            if name != main and self.clients[name].spec.orders:
                found.append(f"Order updates are lost, the order book is asked instead: {problem}")
        down = market is not None and market.state is StreamState.DOWN
        state = AccountState.DISCONNECTED if down else AccountState.CONNECTED
        return state, " ".join(found)

    def figures(self) -> Mapping[str, Any]:
        """Counters of each feed by its id."""
        return {name: client.figures() for name, client in self.clients.items()}
