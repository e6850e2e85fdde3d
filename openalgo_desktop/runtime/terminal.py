"""The composition root: builds the Terminal from settings. The only place that knows every room
but the window; the window, the headless command and the tests all use this same object."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openalgo_desktop.analytics.strategy_book.service import StrategyBook
from openalgo_desktop.analytics.trade_journal import TradeJournal
from openalgo_desktop.automation.alerts.engine import Alerts
from openalgo_desktop.automation.strategies.service import Engine as StrategyEngine
from openalgo_desktop.automation.telegram.service import Telegram
from openalgo_desktop.brokers.registry import SIMULATOR, Registry
from openalgo_desktop.brokers.simulator.account import SimulatorAccount, SimulatorOptions
from openalgo_desktop.config.resources import resource_text
from openalgo_desktop.config.settings import Settings
from openalgo_desktop.core.calendar import (
    MarketCalendar,
)
from openalgo_desktop.core.charting.drawings.book import DrawingBook
from openalgo_desktop.core.clock import SystemClock, api_timestamp
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.events import (
    Bus,
    FeedChanged,
    FeedRefused,
    InstrumentsLoaded,
    Notice,
    PositionsChanged,
    SettingChanged,
    StorageChanged,
)
from openalgo_desktop.core.garbage import tidy_when
from openalgo_desktop.core.instruments import InstrumentTable
from openalgo_desktop.core.naming import Names
from openalgo_desktop.core.ports import BrokerAccount
from openalgo_desktop.core.search_query import Aliases
from openalgo_desktop.local_api.callback import Callbacks, callback_server
from openalgo_desktop.local_api.context import ApiContext
from openalgo_desktop.local_api.handover import Handover
from openalgo_desktop.local_api.owner import OwnerServer
from openalgo_desktop.local_api.server import LocalApi
from openalgo_desktop.market.hub import MarketHub
from openalgo_desktop.research.bars.service import BarService
from openalgo_desktop.runtime.accounts import Accounts, split_name
from openalgo_desktop.runtime.crash import look_back
from openalgo_desktop.runtime.hands.door import OwnerDoor
from openalgo_desktop.runtime.logs import LogRing, setup_logging
from openalgo_desktop.runtime.mode_guard import LOCKED_VAULT
from openalgo_desktop.runtime.options import USER, TerminalOptions
from openalgo_desktop.runtime.own_days import amend_calendar
from openalgo_desktop.runtime.programs import Programs
from openalgo_desktop.runtime.start_alerts import give_strategies
from openalgo_desktop.runtime.start_bars import start_bars
from openalgo_desktop.runtime.start_drawings import start_drawings
from openalgo_desktop.runtime.start_mcp import Mcp, start_mcp
from openalgo_desktop.runtime.start_telegram import make_telegram, start_telegram
from openalgo_desktop.runtime.start_trading import start_trading
from openalgo_desktop.sandbox.account import Sandbox
from openalgo_desktop.sandbox.realism import Realism
from openalgo_desktop.storage.alerts import AlertRepository
from openalgo_desktop.storage.applock import AppLock
from openalgo_desktop.storage.audit import AuditTrail
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.datadir import DataDirectory
from openalgo_desktop.storage.journal import Journal
from openalgo_desktop.storage.keys import ApiKeys
from openalgo_desktop.storage.paper import PaperRepository
from openalgo_desktop.storage.state import KeyValueStore
from openalgo_desktop.storage.vault import Vault
from openalgo_desktop.storage.webhook_log import WebhookLogRepository
from openalgo_desktop.trading.approvals import Approvals
from openalgo_desktop.trading.audit import AuditRecorder
from openalgo_desktop.trading.conversion import ConversionDesk
from openalgo_desktop.trading.desk import OrderDesk
from openalgo_desktop.trading.executions import ExecutionRecorder
from openalgo_desktop.trading.idempotency import RequestMemory
from openalgo_desktop.trading.killswitch import KillSwitch
from openalgo_desktop.trading.limits import RiskRules
from openalgo_desktop.trading.preview import OrderPreviews
from openalgo_desktop.trading.watch.service import Watch

if TYPE_CHECKING:
    from openalgo_desktop.automation.host.service import Host

log = logging.getLogger(__name__)

#: Seconds from the start to the rehearsal of an order.
WARM_UP_AFTER = 0.3
#: How long a thread that wants the interpreter waits for one that works, seconds. An order waits
#: for the writer's thread, and that one asks again after each word with the database; with
#: Python's 5 ms every answer of the disk cost up to a paint.
THREADS_TURN = 0.001


class Terminal:
    """Every service of the program, with one order of start and stop."""

    def __init__(self, options: TerminalOptions | None = None) -> None:
        self.options = options or TerminalOptions()
        self.registry = Registry()
        self.callbacks = Callbacks()
        broker = split_name(self.options.broker)[0]
        if broker != SIMULATOR:
            self.registry.get(broker)  # says what there is when it is unknown
        self.clock = self.options.clock or SystemClock(self.options.clock_start)
        self.started = self.clock.now()
        #: Report of the run before, where that did not end properly.
        self.crash_report: Path | None = None
        self.settings = Settings(self.options.overrides, self.options.origins)
        self.bus = Bus()
        self.data_dir = DataDirectory(self.options.data_dir)
        self.instruments = InstrumentTable()
        self.instruments.aliases = Aliases.from_json(resource_text("search/aliases.json"))
        self.names = Names(self.instruments, self.clock)
        self.bus.subscribe(InstrumentsLoaded, lambda _: self.names.forget())
        self.calendar = MarketCalendar.from_json(resource_text("calendar/holidays.json"))
        self.logs: LogRing
        self.db: Database
        self.state: KeyValueStore
        self.drawings: DrawingBook
        self.vault: Vault
        self.keys: ApiKeys
        self.journal: Journal
        self.hub: MarketHub
        self.bars: BarService
        self.accounts: Accounts
        self.sandbox: Sandbox
        self.realism: Realism
        self.desk: OrderDesk
        self.executions: ExecutionRecorder
        self.trade_journal: TradeJournal
        self.strategy_book: StrategyBook
        self.previews: OrderPreviews
        self.approvals: Approvals
        self.kill_switch: KillSwitch
        self.risk_rules: RiskRules
        self.requests: RequestMemory
        self.watch: Watch
        self.conversions: ConversionDesk
        self.alerts: Alerts
        self.strategies: StrategyEngine
        self.programs = Programs(self)
        self.mcp: Mcp
        self.telegram: Telegram
        self.audit: AuditTrail
        self.lock: AppLock
        self.api: LocalApi | None = None
        self.owner_door: OwnerServer
        self._stops: list[Callable[[], Any]] = []

    # -- start ------------------------------------------------------------------------------
    async def start(self) -> None:
        """Start all parts in order; if one fails, stop those already started and raise."""
        sys.setswitchinterval(THREADS_TURN)
        try:
            await self.start_storage(may_lock=True)
            folder, told = self.data_dir.logs, self.data_dir.announced()
            self.crash_report = look_back(folder, told, self.started, self.logs.redactor)
            await start_drawings(self)
            await self._start_market()
            await start_trading(self)
            make_telegram(self)
            await self._start_api()
            await self.programs.take_up()
            give_strategies(self)
            await start_telegram(self)
            await start_mcp(self)
            await self._open_owner_door()
        except BaseException:
            await self.stop()
            raise
        beside = [
            asyncio.create_task(self._warm_up(), name="warm-up"),
            asyncio.create_task(
                tidy_when(lambda: self.calendar.all_closed(self.clock.now())), name="garbage"
            ),
        ]

        def cancel() -> None:
            for task in beside:
                task.cancel()

        self.on_stop(cancel)
        log.info("terminal started in %s mode", self.desk.mode.value)

    async def _warm_up(self) -> None:
        """In the quiet after the start: the first order shall be as fast as the tenth."""
        await asyncio.sleep(WARM_UP_AFTER)
        await self.journal.rehearse()
        await PaperRepository(self.db).rehearse()

    async def start_storage(self, *, may_lock: bool = False) -> None:
        """Data folder, log, database, settings, vault, keys, audit trail, app lock: all that a
        command needs which works on the data folder while no engine runs (then ``stop``). With
        ``may_lock`` a keyring that lost our key locks live trading and leaves the sandbox."""
        self.data_dir.acquire()
        self.on_stop(self.data_dir.release)
        self.logs = setup_logging(self.settings, self.data_dir.logs)
        self.on_stop(self.logs.close)
        for text in self.options.notes:
            log.info("%s", text)
        for text in (*self.options.warnings, *self.data_dir.warnings):
            log.warning("%s", text)
        self.db = Database(self.data_dir.database_url)
        self.db.on_trouble = self._storage_changed
        await self.db.start()
        self.on_stop(self.db.stop)
        self.state = KeyValueStore(self.db)
        self.settings.load(await self.state.all("settings"))
        self.logs.set_detail(self.settings["log.level"])
        self._amend_calendar()
        self._group_names("ui.grouping", self.settings["ui.grouping"])
        self.settings.on_store = self.state.put_later("settings")
        self.settings.on_forget = self.state.forget_later("settings")
        self.settings.subscribe(self._amend_calendar)
        self.settings.subscribe(self._group_names)
        self.settings.subscribe(
            lambda key, value: self.bus.publish(SettingChanged(key=key, value=value))
        )
        self.vault = Vault(self.data_dir.config, key_file=self.options.vault_key_file)
        self.vault.watch(self.logs.redactor.add)
        keys_db = self.db
        if not may_lock:
            await self.vault.open()
        elif reason := await self.vault.open_or_lock():
            log.warning("%s %s", LOCKED_VAULT, reason)
            keys_db = Database("sqlite://")  # the keys of this run; those in the data folder stay
            await keys_db.start()
            self.on_stop(keys_db.stop)
        self.callbacks.handover = Handover(self.vault, self.clock)
        self.keys = ApiKeys(keys_db, self.vault, self.clock)
        await self.keys.ensure_default()
        self.keys.know_default()
        clean = self.logs.redactor.clean
        self.journal = Journal(self.db, self.clock, clean)
        self.audit = AuditTrail(self.db, clean)
        recorder = AuditRecorder(self.clock, self.bus, self.audit)
        self.on_stop(recorder.close)
        self.keys.on_revoked(recorder.key_revoked)
        self.keys.on_created(recorder.key_created)
        self.lock = AppLock(
            self.vault,
            self.clock,
            self.bus,
            lambda: float(self.settings["lock.idle_minutes"]),
        )
        await self.lock.start()
        self.on_stop(self.lock.stop)

    async def _start_market(self) -> None:
        self.accounts = Accounts(
            self.clock,
            self.bus,
            self.settings,
            self.instruments,
            self.vault,
            self.state,
            self.data_dir.path / "masters",
            self._simulator,
            lambda exchange: self.calendar.is_open(exchange, self.clock.now()),
            self.registry,
        )
        self.on_stop(self.accounts.stop)
        await self.accounts.start(self.options.broker)
        self.hub = MarketHub(self.clock, self.instruments)
        self.accounts.attach(self.hub)
        self.hub.on_refused = lambda key, reason: self.bus.publish(
            FeedRefused(key=key, reason=reason)
        )
        self.hub.on_mute = lambda mute, message: self.bus.publish(
            FeedChanged(connected=not mute, message=message)
        )
        await self.hub.start()
        self.on_stop(self.hub.stop)
        self.bars = start_bars(self)

    def _simulator(self) -> SimulatorAccount:
        settings = self.settings
        return SimulatorAccount(
            self.clock,
            PaperRepository(self.db),
            SimulatorOptions(
                seed=settings["simulator.seed"],
                rate=settings["simulator.rate"],
                frozen=self.options.sim_frozen,
                universe=self.options.sim_universe,
                always_open=settings["simulator.always_open"],
            ),
            self.calendar,
        )

    @property
    def host(self) -> Host:
        """The user's own programs."""
        return self.programs.host

    @property
    def account(self) -> BrokerAccount:
        """The data account."""
        return self.accounts[self.accounts.data]

    async def _start_api(self) -> None:
        if not self.settings["api.enabled"]:
            return
        self.api = LocalApi(
            ApiContext(
                settings=self.settings,
                clock=self.clock,
                bus=self.bus,
                hub=self.hub,
                desk=self.desk,
                instruments=self.instruments,
                keys=self.keys,
                calendar=self.calendar,
                state=self.state,
                alerts=AlertRepository(self.db),
                strategies=self.strategies,
                webhook_log=WebhookLogRepository(self.db),
                control=self.control if self.options.sim_control else None,
                account_status=lambda: self.account.status,
                user_id=USER,
                brokers=(SIMULATOR, *self.registry.ids()),
                callbacks=self.callbacks,
                approvals=self.approvals,
                requests=self.requests,
                telegram=self.telegram,
            )
        )
        await self.api.start()
        self.on_stop(self.api.stop)

    async def _open_owner_door(self) -> None:
        """For the owner's commands beside this program; their way is told in ``running.json``."""
        self.owner_door = OwnerServer(OwnerDoor(self).run)
        await self.owner_door.start()
        self.on_stop(self.owner_door.stop)
        addresses = {
            "pid": str(os.getpid()),
            "since": api_timestamp(self.started),
            "control_url": self.owner_door.url,
        }
        if self.api is not None:
            addresses |= {"rest_url": self.api.rest_url, "ws_url": self.api.ws_url}
        self.data_dir.announce(addresses | {"control_token": self.owner_door.token.reveal()})
        self.on_stop(self.data_dir.withdraw)

    # -- stop -------------------------------------------------------------------------------
    def on_stop(self, call: Callable[[], Any]) -> None:
        """``call`` ends a part that was started; :meth:`stop` calls the last one first."""
        self._stops.append(call)

    async def stop(self) -> None:
        """Stop all parts, last started first; one that fails does not keep the others up."""
        while self._stops:
            stop = self._stops.pop()
            try:
                result = stop()
                if result is not None:
                    await result
            except Exception:
                log.exception("stopping %s failed", getattr(stop, "__qualname__", stop))

    # -- wiring -----------------------------------------------------------------------------
    def _group_names(self, key: str, value: Any) -> None:
        if key == "ui.grouping":
            self.names.group(str(value))

    def _amend_calendar(self, key: str = "calendar.", value: object = None) -> None:
        if key.startswith("calendar."):
            amend_calendar(self.calendar, self.settings, self.data_dir.config)

    def always_open(self) -> bool:
        """Whether the market of the data account has no hours; the simulator says so of itself."""
        return self.account.always_open

    def market_open(self, exchange: str) -> bool:
        """Whether ``exchange`` trades now."""
        return self.always_open() or self.calendar.is_open(exchange, self.clock.now())

    def _storage_changed(self, trouble: str) -> None:
        """What is answered is on disk first, so a disk that takes nothing stops almost all."""
        text = (
            f"Nothing can be stored: {trouble}. New orders are refused until it can; exits and "
            "cancellations of a live account still leave."
            if trouble
            else "The database stores again."
        )
        log.log(logging.ERROR if trouble else logging.WARNING, "%s", text)
        self.bus.publish(StorageChanged(trouble=trouble))
        level = "error" if trouble else "info"
        self.bus.publish(Notice(level=level, text=text, at=self.clock.now()))

    async def reset_sandbox(self) -> None:
        """Empty the paper account and give it its starting capital."""
        await self.sandbox.reset()
        await self.sandbox_changed()

    async def sandbox_changed(self) -> None:
        """Its books changed without orders: settlement, delivery, a new session, a reset."""
        await self.desk.books.rebase(Mode.SANDBOX)
        self.bus.publish(PositionsChanged(account_id="", mode=Mode.SANDBOX))

    @asynccontextmanager
    async def callback_address(self, broker: str) -> AsyncIterator[str]:
        """The redirect address of ``broker``, served while the context is open: by the local API,
        or by a small server of its own when the API is switched off."""
        if self.api is not None:
            yield f"{self.api.rest_url}/{broker}/callback"
            return
        host, port = str(self.settings["api.host"]), int(self.settings["api.rest_port"])
        async with callback_server(self.callbacks, host, port) as url:
            yield f"{url}/{broker}/callback"

    async def control(self, payload: dict[str, Any]) -> dict[str, Any]:
        """``POST /simulator/control``: move prices, faults and the clock; reset the sandbox."""
        rest = dict(payload)
        if (moment := rest.pop("clock", None)) is not None:
            try:
                self.clock.jump(datetime.fromisoformat(str(moment)))
            except ValueError:
                raise ConfigError(f"clock: {moment!r} is not an ISO time.") from None
            await self.sandbox.run_due()
        if (what := rest.pop("reset", None)) is not None:
            if what != "sandbox":
                raise ConfigError("reset: only 'sandbox' can be reset.")
            await self.reset_sandbox()
        result = await self.account.control(rest) if rest else {}
        self.sandbox.forget_prices()
        self.bars.forget_passing()
        await asyncio.sleep(0)  # frames of the prices leave at the end of this turn of the loop
        return result
