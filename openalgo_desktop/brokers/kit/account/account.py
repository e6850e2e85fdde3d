"""One account at one broker: login state, and the gateway and market source made of the kit."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

import httpx

from openalgo_desktop.brokers.kit.account.gateway import KitGateway, KitMarket
from openalgo_desktop.brokers.kit.account.login import LoginRunner
from openalgo_desktop.brokers.kit.account.session import Session, SessionStore
from openalgo_desktop.brokers.kit.account.size_check import confirm_sizes
from openalgo_desktop.brokers.kit.account.sizing import SizeKeeper
from openalgo_desktop.brokers.kit.account.streams import AccountStreams
from openalgo_desktop.brokers.kit.books.polling import BookPoller
from openalgo_desktop.brokers.kit.broker import Broker
from openalgo_desktop.brokers.kit.feed.stream import StreamClient
from openalgo_desktop.brokers.kit.master.download import rest_download
from openalgo_desktop.brokers.kit.master.lookup import BrokerIndex
from openalgo_desktop.brokers.kit.master.store import KitMaster
from openalgo_desktop.brokers.kit.rest.client import RestClient
from openalgo_desktop.brokers.kit.spec import Ask, Login
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import AccountState
from openalgo_desktop.core.errors import (
    AppError,
    AuthError,
    ConfigError,
    SessionExpired,
)
from openalgo_desktop.core.logins import LoginHelper
from openalgo_desktop.core.model import AccountStatus, Instrument, SizeAnswer
from openalgo_desktop.core.ports import SecretStore

log = logging.getLogger(__name__)

#: Seconds between looks at the end of the session; the wall clock may jump.
WATCH_INTERVAL = 5.0
#: Least seconds between two logins without a human: a broker that ends every session at once is
#: not stormed, and its count of wrong answers stays low.
RELOGIN_INTERVAL = 300.0


class KitAccount:
    """A :class:`BrokerAccount`. It exists without a login too: then its state is *login needed*,
    and every call says so.

    ``slot`` tells several accounts of one broker apart; the client id is known after the first
    login. ``folder`` holds the symbol masters of all brokers. A ``passive`` account opens no feed
    and reads no book by itself. ``transport`` is for tests.
    """

    #: A real market has hours.
    always_open = False
    needs_login = True

    def __init__(
        self,
        broker: Broker,
        clock: Clock,
        secrets: SecretStore,
        folder: Path,
        *,
        slot: str = "1",
        hosts: Mapping[str, str] | None = None,
        market_open: Callable[[str], bool] = lambda exchange: False,
        transport: httpx.AsyncBaseTransport | None = None,
        passive: bool = False,
    ) -> None:
        self._passive = passive
        self.broker = broker
        self.spec = broker.spec
        self.slot = slot
        self.clock = clock
        self.secrets = secrets
        self.session = Session()
        self._store = SessionStore(secrets, self.spec.id, slot)
        self.rest = RestClient(
            self.spec,
            self.session,
            clock,
            hosts=hosts,
            transport=transport,
            on_expired=self._expired,
        )
        self.index = BrokerIndex()
        self.api = broker.api(self.spec, self.rest, self.index, clock)
        self._folder = folder
        title, place = self.spec.title, folder / self.spec.id
        self._master = KitMaster(self.spec.master, place, clock, rest_download(self.rest), title)
        self.sizing = SizeKeeper(self.api.sizes, folder / f"{self.spec.id}-sizes.json")
        self._gateway = KitGateway(self.spec, self.api, clock, self._require_login)
        self._poller = BookPoller(
            self._gateway.orders, clock, push_alive=lambda: self.streams.push_alive
        )
        self._gateway.on_sent = self._sent
        self._gateway.on_odd_push = self._poller.poke
        self._market = KitMarket(self.spec, self.api, self._require_login)
        self.streams = AccountStreams(
            self.rest,
            self.index,
            clock,
            market=self._market,
            gateway=self._gateway,
            poller=self._poller,
            require_login=self._require_login,
            expired=self._expired,
            report=self._set,
            market_open=market_open,
        )
        self._state = AccountState.OFFLINE
        self._message = ""
        self._listener: Callable[[AccountStatus], None] = lambda status: None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._busy = asyncio.Lock()
        self._over: dict[str, str] = {}  # values of the session that has ended
        self._relogin = False  # it ended by itself, nobody logged out
        self._tried = float("-inf")  # last login without a human, monotonic

    # -- BrokerAccount ----------------------------------------------------------------------
    @property
    def status(self) -> AccountStatus:
        """Login and feed as one state; ``message`` says what is missing."""
        client = self.session.get("client_id")
        return AccountStatus(
            account_id=self.account_id,
            broker=self.spec.id,
            client_id=client,
            title=self.spec.title,
            state=self._state,
            message=self._message,
            valid_until=self.session.ends if self.session.open else None,
            hosts=tuple(f"{name}={url}" for name, url in self.rest.overrides.items()),
        )

    @property
    def account_id(self) -> str:
        """``broker:client``; before the first login ``broker:slot``."""
        return f"{self.spec.id}:{self.session.get('client_id') or self.slot}"

    @property
    def gateway(self) -> KitGateway:
        return self._gateway

    @property
    def market(self) -> KitMarket:
        return self._market

    @property
    def stream(self) -> StreamClient | None:
        """The market feed, where the broker has one."""
        return self.streams.market

    @property
    def master(self) -> KitAccount:
        return self

    async def instruments(self, *, anew: bool = False) -> list[Instrument]:
        """The symbol master; the account's own lookups are renewed with it. ``anew`` downloads it
        whatever is there."""
        if self.spec.master.own:  # the broker is a server of the user's own
            self._master.use(self._folder / self.account_id.replace(":", "-"))
        rows = await self._master.instruments(self.index, anew=anew)
        return await self.sizing.taken(rows, self.index)

    async def learn_names(self) -> None:
        """The symbol master is read: its rows hold the broker's names."""
        await self.instruments()

    async def confirm_sizes(self) -> list[SizeAnswer]:
        self._require_login()
        if not self.sizing.verdicts:
            await self.instruments()
        return await confirm_sizes(self.api, self.sizing)

    @property
    def master_text(self) -> str:
        """Rows and age of the symbol master, for people."""
        return self._master.status.text(self.clock.now())

    def set_status_listener(self, listener: Callable[[AccountStatus], None]) -> None:
        """Who hears of state changes."""
        self._listener = listener

    async def connect(self) -> None:
        """Use the stored session if it still holds, or log in unattended if all is stored;
        else the state becomes *login needed*. Never raises for that."""
        async with self._busy:
            self._set(AccountState.CONNECTING, "")
            await self._store.load(self.spec, self.session)
            self.api.set_account(self.account_id)
            if not self._tasks:
                self._own(self._watch(), "session-watch")
            if await self._resume() or await self._unattended():
                await self._opened()

    async def disconnect(self) -> None:
        """Close the feed and the connections; the session stays stored for the next start."""
        async with self._busy:
            for task in tuple(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._poller.stop()
            await self.streams.stop()
            await self.rest.close()
            self.session.open = False
            self._set(AccountState.OFFLINE, "")

    # -- login ------------------------------------------------------------------------------
    def login_of(self, login_id: str = "") -> Login:
        """The login with that id, or the first."""
        for login in self.spec.logins:
            if not login_id or login.id == login_id:
                return login
        known = ", ".join(login.id for login in self.spec.logins)
        raise ConfigError(f"{self.spec.title} has no login {login_id!r}; it has: {known}.")

    async def login(
        self, given: Mapping[str, str], helper: LoginHelper | None = None, login_id: str = ""
    ) -> AccountStatus:
        """Log in with what is given, stored, or asked from ``helper``.

        Raises :class:`BadCredentials` with the field that is wrong. Feeds and workspace stay:
        subscriptions are asked anew with the new session.
        """
        login = self.login_of(login_id)
        async with self._busy:
            if not self.session.open:
                await self._store.load(self.spec, self.session)
            before = self._state
            self._set(AccountState.CONNECTING, "")
            try:
                await self._run_login(login, given, helper)
            except BaseException:
                back = before if self.session.open else AccountState.LOGIN_NEEDED
                self._set(back, "" if self.session.open else self._message)
                raise
            await self._opened()
        return self.status

    async def _run_login(
        self, login: Login, given: Mapping[str, str], helper: LoginHelper | None
    ) -> None:
        runner = LoginRunner(self.spec, self.rest, self.session, self.clock, self.api.login_hook)
        names = (*(await runner.run(login, given, helper)), "client_id")
        await self._store.save_credentials(self.spec, self.session)
        await self._store.save_session(self.session, names)

    async def logout(self) -> None:
        """End the session at the broker and forget it, with what would begin it anew (a refresh
        token); credentials stay."""
        async with self._busy:
            if self.session.open:
                await self._leave()
            self._relogin = False
            await self._store.drop_session(self.spec)
            for values in (
                *((*login.session, *login.extras) for login in self.spec.logins),
                *(call.gives for call in self.spec.renewals.values()),
            ):
                self.session.forget(values)
            self._close_session("Logged out.")

    async def _leave(self) -> None:
        """Log out at the broker: of the session, and of the second ones that were begun."""
        for name, op in self.spec.ops.items():
            if name != "logout" and not name.startswith("logout_"):
                continue
            if op.renew and not all(map(self.session.has, self.spec.renewals[op.renew].gives)):
                continue
            try:
                await self.rest.call(op, name=name)  # begins no second session anew
            except AppError as error:
                log.info("%s: %s: %s", self.spec.title, name, error.message)

    async def forget(self) -> None:
        """Drop credentials and session from the secret store."""
        self._relogin = False
        await self._store.drop_all(self.spec)

    async def _resume(self) -> bool:
        """Whether the stored session holds: by its end, and by asking the broker."""
        if not any(all(map(self.session.has, login.session)) for login in self.spec.logins):
            self._set(AccountState.LOGIN_NEEDED, f"Log in to {self.spec.title}.")
            return False
        if self.session.ends is not None and self.clock.now() >= self.session.ends:
            self._close_session(f"The session of {self.spec.title} has ended: log in again.")
            return False
        self.session.open = True
        if "profile" not in self.spec.ops:
            return True
        try:
            await self.rest.op("profile")
        except AuthError as error:
            self._close_session(error.message)
            return False
        except AppError as error:  # says nothing about the session: the next call will tell
            log.warning("%s: session not verified: %s", self.spec.title, error.message)
        return True

    async def _unattended(self) -> bool:
        """Log in without asking, where the broker allows it and everything is stored."""
        lost = False  # one of them was not answered: it may be later
        for login in self.spec.logins:
            if login.by_hand or login.needs_browser:
                continue
            asked = [f for s in login.steps if isinstance(s, Ask) for f in s.fields]
            if not any(f.stored and self.session.has(f.name) for f in asked):
                continue
            try:
                await self._run_login(login, {}, None)
                return True
            except AppError as error:
                log.info("%s: no unattended login: %s", self.spec.title, error.message)
                if not isinstance(error, AuthError):
                    lost = True
                elif not lost:
                    self._relogin = False  # the same would be refused again
        return False

    async def _opened(self) -> None:
        self._relogin = False
        self.rest.second.forget()
        if self.api.rows.account_id != self.account_id:
            self.api.set_account(self.account_id)
            self._gateway.forget()
        self._set(AccountState.CONNECTED, "")
        if self._passive:
            return
        await self._poller.stop()
        self._poller.start()
        await self.streams.start()

    # -- end of a session -------------------------------------------------------------------
    def _expired(self, message: str) -> None:
        """The session is over, by its hour or by the broker's word. Nothing when it is over
        already: a late answer must not undo a logout."""
        if not self.session.open:
            return
        log.warning("%s: the session has ended. %s", self.spec.title, message)
        self._relogin = True
        self._close_session(message or f"The session of {self.spec.title} has ended: log in again.")

    def _tokens(self) -> dict[str, str]:
        """The values that make up a session."""
        names = {name for login in self.spec.logins for name in login.session}
        return {name: self.session.get(name) for name in names if self.session.has(name)}

    def _close_session(self, message: str) -> None:
        self.session.open = False
        self._over = self._tokens()
        self._set(AccountState.LOGIN_NEEDED, message)
        self._own(self.streams.stop(), "streams-stop")

    async def _watch(self) -> None:
        """Ends the session when its time is over, and takes up one that was stored meanwhile
        (``openalgo-desktop login`` beside a running engine) or logs in by itself where that can
        be done."""
        while True:
            await asyncio.sleep(WATCH_INTERVAL)
            ends = self.session.ends
            if self.session.open:
                if ends is not None and self.clock.now() >= ends:
                    self._expired("")
            elif self._state is AccountState.LOGIN_NEEDED and not self._busy.locked():
                async with self._busy:
                    await self._store.load(self.spec, self.session)
                    stored = self._tokens() != self._over and await self._resume()
                    if stored or await self._renewed():
                        await self._opened()

    async def _renewed(self) -> bool:
        """Whether a session that ended by itself was followed by a login without a human."""
        now = self.clock.monotonic()
        if not self._relogin or now - self._tried < RELOGIN_INTERVAL:
            return False
        self._tried = now
        return await self._unattended()

    def _require_login(self) -> None:
        if not self.session.open:
            raise SessionExpired(
                self._message or f"Log in to {self.spec.title} first. Nothing was sent."
            )

    def _sent(self) -> None:
        if not self.streams.push_alive:
            self._poller.poke()

    # -- status -----------------------------------------------------------------------------
    def details(self) -> dict[str, Any]:
        """Feed figures, rate-limit headroom, symbol master and recent call times."""
        return {
            "feed": self.stream.figures() if self.stream is not None else None,
            "feeds": self.streams.figures(),
            "limits": self.rest.limiter.headroom(),
            "master": self.master_text,
            "master_problem": self._master.status.problem,
            "busy": self._busy_text(),
            "downloaded": self.rest.downloaded() if self._master.doing else None,
            "sizes": self.api.sizes.open(),
            "skew": self.rest.skew.proved,
            "timings": list(self.rest.timings)[-20:],
        }

    def _busy_text(self) -> str:
        """What goes on in the background: ``symbol master: downloading 63 %``."""
        if not self._master.doing:
            return ""
        share = self.rest.downloaded()
        part = "" if share is None else f" {share:.0%}".replace("%", " %")
        return f"symbol master: {self._master.doing}{part}"

    async def control(self, payload: dict[str, Any]) -> dict[str, Any]:
        """A real market obeys nobody: raises :class:`ConfigError`."""
        raise ConfigError("Only the simulator's market can be controlled.")

    def _set(self, state: AccountState, message: str) -> None:
        changed = (state, message) != (self._state, self._message)
        self._state, self._message = state, message
        if changed:
            self._listener(self.status)

    def _own(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        task = asyncio.create_task(work, name=f"{self.spec.id}-{name}")
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        with contextlib.suppress(asyncio.CancelledError):
            if (error := task.exception()) is not None:
                log.warning("%s: %s", task.get_name(), error)
