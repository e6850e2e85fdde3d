"""The broker accounts of a terminal: several may be logged in at once; one gives the market data,
one takes the live orders. Part of the composition root."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openalgo_desktop.brokers.registry import SIMULATOR, Registry
from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.config.settings import Settings
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import AccountState, Mode
from openalgo_desktop.core.errors import AppError, ConfigError
from openalgo_desktop.core.events import AccountChanged, Bus, FeedChanged, InstrumentsLoaded, Notice
from openalgo_desktop.core.freeze import FreezeTable
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.logins import LoginHelper
from openalgo_desktop.core.model import AccountStatus
from openalgo_desktop.core.ports import BrokerAccount, SecretStore
from openalgo_desktop.market.hub import MarketHub
from openalgo_desktop.storage.state import KeyValueStore
from openalgo_desktop.trading.desk import OrderDesk

if TYPE_CHECKING:  # the kit and its HTTP client are imported when a broker is opened
    from openalgo_desktop.brokers.kit.account.account import KitAccount
    from openalgo_desktop.brokers.kit.broker import Broker
    from openalgo_desktop.brokers.kit.spec import BrokerSpec

log = logging.getLogger(__name__)
_SLOT = re.compile("[2-9]|[1-9][0-9]")

_SCOPE = "accounts"


def account_name(broker: str, slot: str = "1") -> str:
    """How settings and the command line name an account: ``zerodha``, ``zerodha:2``."""
    return broker if slot == "1" else f"{broker}:{slot}"


def split_name(name: str) -> tuple[str, str]:
    """Broker and slot of an account name: ``zerodha`` is the first account of a broker,
    ``zerodha:2`` the second. Raises :class:`ConfigError` for another writing, which would be the
    same login under two names."""
    broker, colon, slot = name.partition(":")
    if colon and (broker == SIMULATOR or not _SLOT.fullmatch(slot)):
        one = "there is one" if broker == SIMULATOR else f"the second one is {broker}:2"
        raise ConfigError(f"account: {name!r}: the first account is {broker}, {one}.")
    return broker, slot or "1"


def host_overrides(spec: BrokerSpec, settings: Settings) -> dict[str, str]:
    """Addresses that settings put in place of the broker's."""
    return {
        host: text
        for host in spec.hosts
        if (text := str(settings[f"brokers.{spec.id}.hosts.{host}"]))
    }


def host_settings() -> list[str]:
    """The setting of each address of each broker."""
    specs = [broker.spec for broker in Registry().all().values()]
    return [f"brokers.{spec.id}.hosts.{host}" for spec in specs for host in spec.hosts]


class Accounts:
    """Opens, logs in and closes accounts. Names are ``broker`` or ``broker:slot``.

    ``data`` and ``orders`` are the names of the two roles; both change with the terminal running.
    """

    def __init__(
        self,
        clock: Clock,
        bus: Bus,
        settings: Settings,
        instruments: InstrumentTable,
        secrets: SecretStore,
        state: KeyValueStore,
        folder: Path,
        make_simulator: Callable[[], BrokerAccount],
        market_open: Callable[[str], bool],
        registry: Registry | None = None,
    ) -> None:
        self.registry = registry or Registry()
        self._clock = clock
        self._bus = bus
        self._settings = settings
        self._instruments = instruments
        self._secrets = secrets
        self._state = state
        self._folder = folder
        self._make_simulator = make_simulator
        self._market_open = market_open
        self._open: dict[str, BrokerAccount] = {}
        self._kept: dict[str, None] = {}  # names that the next start opens, as a set with order
        self._hub: MarketHub | None = None
        self._desk: OrderDesk | None = None
        self._loaded = ""  # whose master is in force
        self._works: dict[tuple[str, str], asyncio.Task[None]] = {}  # by what, of whom
        self.data = ""
        self.orders = ""
        self._orders_asked = ""  # who shall take them, once its symbols are known

    # -- life -------------------------------------------------------------------------------
    async def start(self, name: str) -> None:
        """Open the account ``name`` for both roles, and those that were open before. Other
        accounts never keep the terminal from starting."""
        # Read before one is open: what opens writes down which ones there are, and would do it
        # without the others where the disk is faster than this read.
        kept = await self._state.get(_SCOPE, "open") or []
        others = [n for n in kept if n != name and n.partition(":")[0] != SIMULATOR]
        self._kept = dict.fromkeys([name, *others])
        await self.open(name)
        self.data = self.orders = name
        await asyncio.gather(*(self._reopen(other) for other in others))
        await self._load_master(required=split_name(name)[0] == SIMULATOR)

    async def _reopen(self, name: str) -> None:
        try:
            await self.open(name)
        except AppError as error:
            log.warning("account %s not opened: %s", name, error.message)
            if isinstance(error, ConfigError):  # a name that means no account
                self._kept.pop(name, None)

    def attach(self, hub: MarketHub) -> None:
        """The hub takes its data from the data account."""
        self._hub = hub
        hub.set_source(self[self.data].market)
        hub.connected = self[self.data].status.state is AccountState.CONNECTED

    def attach_desk(self, desk: OrderDesk) -> None:
        """The desk sends live orders to the order account."""
        self._desk = desk
        desk.set_gateway(Mode.LIVE, self[self.orders].gateway)
        desk.reconciler.others = lambda: [
            account.gateway
            for account in self.all()
            if account.status.state is AccountState.CONNECTED
        ]

    async def stop(self) -> None:
        """Close all accounts; sessions stay stored."""
        for task in self._works.values():
            task.cancel()
        await asyncio.gather(*self._works.values(), return_exceptions=True)
        for account in self._open.values():
            await account.disconnect()

    # -- access -----------------------------------------------------------------------------
    def __getitem__(self, name: str) -> BrokerAccount:
        try:
            return self._open[name]
        except KeyError:
            raise ConfigError(f"Account {name!r} is not open.") from None

    def names(self) -> list[str]:
        """Open accounts, in the order in which they were opened."""
        return list(self._open)

    def all(self) -> list[BrokerAccount]:
        """Open accounts."""
        return list(self._open.values())

    # -- open and close ---------------------------------------------------------------------
    async def open(self, name: str) -> BrokerAccount:
        """Open an account; it uses its stored session or waits for a login."""
        if name in self._open:
            return self._open[name]
        broker, slot = split_name(name)
        account: BrokerAccount
        if broker == SIMULATOR:
            account = self._make_simulator()
        else:
            # The first adapter brings the kit and its HTTP client: 0.2 s, not on the loop.
            entry, make = await asyncio.to_thread(self._adapter, broker)
            if name in self._open:  # somebody else was faster
                return self._open[name]
            account = make(
                entry,
                self._clock,
                self._secrets,
                self._folder,
                slot=slot,
                hosts=host_overrides(entry.spec, self._settings),
                market_open=self._market_open,
            )
        account.set_status_listener(lambda status: self._changed(name, status))
        self._open[name] = account
        try:
            await account.connect()
        except BaseException:
            del self._open[name]
            raise
        self._kept[name] = None
        self._keep()
        return account

    def _adapter(self, broker: str) -> tuple[Broker, type[KitAccount]]:
        """What an account of a broker is made of; imports it."""
        from openalgo_desktop.brokers.kit.account.account import KitAccount

        return self.registry.get(broker), KitAccount

    async def close(self, name: str, *, forget: bool = False) -> None:
        """Close an account that has no role; ``forget`` also drops its secrets."""
        if name in (self.data, self.orders, self._orders_asked):
            raise ConfigError(
                f"{name} gives the market data or takes the orders: choose another account for "
                "that first."
            )
        account = self[name]
        await account.disconnect()
        if forget:
            await account.forget()
        del self._open[name]
        self._kept.pop(name, None)
        self._keep()

    def _keep(self) -> None:
        self._state.put_later(_SCOPE)("open", [n for n in self._kept if n != SIMULATOR])

    def free_slot(self, broker: str) -> str:
        """A name for one more account of a broker."""
        slots = {split_name(n)[1] for n in self._open if split_name(n)[0] == broker}
        return account_name(broker, next(s for i in range(1, 100) if (s := str(i)) not in slots))

    # -- login ------------------------------------------------------------------------------
    async def login(
        self,
        name: str,
        given: Mapping[str, str],
        helper: LoginHelper | None = None,
        login_id: str = "",
    ) -> AccountStatus:
        """Log an account in; the workspace stays as it is."""
        return await self[name].login(given, helper, login_id)

    async def logout(self, name: str) -> None:
        """End the session of an account."""
        await self[name].logout()

    # -- roles ------------------------------------------------------------------------------
    async def use_for_data(self, name: str) -> None:
        """Market data and symbol master come from this account from now on."""
        account = self[name]
        self.data = name
        await self._load_master(required=False)
        if self.data != name:
            raise _taken(name, self.data)
        if self._hub is not None:
            self._hub.set_source(account.market)
            self._hub.connected = account.status.state is AccountState.CONNECTED
            self._bus.publish(FeedChanged(connected=self._hub.connected, message=""))
        self._bus.publish(AccountChanged(status=account.status))

    async def use_for_orders(self, name: str) -> None:
        """Live orders go to this account from now on; orders of the other stay where they are."""
        account = self[name]
        self._orders_asked = name
        try:
            await self._load_index(name)
        except BaseException:
            if self._orders_asked == name:
                self._orders_asked = self.orders
            raise
        if self._orders_asked != name:
            raise _taken(name, self._orders_asked)
        self.orders = name
        if self._desk is not None:
            self._desk.set_gateway(Mode.LIVE, account.gateway)
        self._bus.publish(AccountChanged(status=account.status))

    # -- symbol master ----------------------------------------------------------------------
    async def renew_symbols(self, name: str) -> str:
        """Download the symbol master of an account anew; what it is now, in words."""
        account = self[name]
        if name == self.data:
            await self._load_master(required=True, anew=True)
        else:
            await account.master.instruments(anew=True)
        return str(account.details().get("master", "")) or "It has no symbol master of its own."

    async def _load_master(self, *, required: bool, anew: bool = False) -> None:
        name = self.data
        account = self[name]
        try:
            rows = await account.master.instruments(anew=anew)
        except AppError as error:
            if required:
                raise
            text = f"No symbol master of {name}: {error.message}"
            log.warning("%s", text)
            self._bus.publish(Notice(level="warning", text=text, at=self._clock.now()))
            return
        freeze = FreezeTable.from_json(resource_text("exchange/freeze.json")).with_own(
            str(self._settings["trading.freeze_quantities"])
        )
        table = await asyncio.to_thread(lambda: InstrumentTable.of(freeze.applied(rows)))
        if name != self.data:  # another was chosen meanwhile, and brings its own
            await asyncio.to_thread(table.let_go)
            return
        self._instruments.adopt(table)
        self._loaded = name
        self._bus.publish(InstrumentsLoaded(count=len(self._instruments)))
        if problem := account.details().get("master_problem", ""):
            text = f"The symbol master of {name} is not of today, {problem}"
            self._bus.publish(Notice(level="warning", text=text, at=self._clock.now()))
        await asyncio.to_thread(table.let_go)  # the rows of before

    async def _load_index(self, name: str) -> None:
        """An account that only takes orders needs the broker's names of the symbols too. Before
        its first login it may have none; they come with the login then."""
        if name == self.data:
            return
        try:
            await self[name].learn_names()
        except AppError as error:
            text = f"No symbol master of {name}: {error.message}"
            log.warning("%s", text)
            self._bus.publish(Notice(level="warning", text=text, at=self._clock.now()))

    # -- status -----------------------------------------------------------------------------
    def _changed(self, name: str, status: AccountStatus) -> None:
        self._bus.publish(AccountChanged(status=status))
        if name != self.data:
            if name == self.orders and status.state is AccountState.CONNECTED:
                self._begin("symbol-index", name, self._load_index)
            return
        connected = status.state is AccountState.CONNECTED
        hub = self._hub
        if hub is not None and hub.connected != connected:
            hub.connected = connected
            if connected:
                hub.resubscribe()
            self._bus.publish(FeedChanged(connected=connected, message=status.message))
        if connected and hub is not None and self._loaded != name:
            self._begin("symbol-master", name, self._load_own)

    async def _load_own(self, name: str) -> None:
        if name == self.data:
            await self._load_master(required=False)

    def _begin(
        self, what: str, name: str, work: Callable[[str], Coroutine[Any, Any, None]]
    ) -> None:
        """Unless it is under way for this account; what is done for another holds nobody up."""
        before = self._works.get((what, name))
        if before is None or before.done():
            self._works[what, name] = asyncio.create_task(work(name), name=what)

    def details(self, name: str) -> dict[str, Any]:
        """Feed age, rate-limit headroom, symbol master: for the account's status panel."""
        return self[name].details()


def _taken(name: str, other: str) -> ConfigError:
    return ConfigError(f"{name} was not taken: {other} was chosen meanwhile.")
