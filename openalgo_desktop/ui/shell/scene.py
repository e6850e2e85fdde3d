"""A trading day in the sandbox for pictures: orders, positions, requests, questions."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from pathlib import Path

from PySide6.QtWidgets import QDialog

from openalgo_desktop.core.alerts import AlertWhen, AlertWish
from openalgo_desktop.core.charting.drawings.model import Anchor, Drawing
from openalgo_desktop.core.charting.drawings.tools import tool
from openalgo_desktop.core.charting.transforms.registry import BY_KIND
from openalgo_desktop.core.enums import Action, GttType, KeyRights, PriceType, Product
from openalgo_desktop.core.errors import AppError, ConfigError
from openalgo_desktop.core.exits import ExitSpec, Offset, Target, TriggerLeg, Unit
from openalgo_desktop.core.gtt import GttRequest
from openalgo_desktop.core.model import Instrument, OrderRequest
from openalgo_desktop.core.money import to_tick
from openalgo_desktop.core.reports import KillReport
from openalgo_desktop.core.secret import Secret
from openalgo_desktop.core.strategies import describe
from openalgo_desktop.core.strategies.model import (
    BatchLeg,
    Definition,
    Distance,
    DistanceUnit,
    Expiry,
    LegRules,
    Segment,
    Trail,
)
from openalgo_desktop.core.strategies.words import StrategyKind
from openalgo_desktop.ui.chart.drawings.settings import DrawingDialog
from openalgo_desktop.ui.engine.api_request import ApiCall
from openalgo_desktop.ui.engine.api_request import send as send_request
from openalgo_desktop.ui.engine.bridge import Bridge
from openalgo_desktop.ui.engine.rows import SymbolMap
from openalgo_desktop.ui.engine.work import AtWork
from openalgo_desktop.ui.kit.ask_text import TextDialog
from openalgo_desktop.ui.kit.confirm import ConfirmDialog
from openalgo_desktop.ui.rooms.accounts.accounts import AccountsDialog
from openalgo_desktop.ui.rooms.accounts.login import LoginDialog
from openalgo_desktop.ui.rooms.api.api_keys import ApiKeysDialog
from openalgo_desktop.ui.rooms.automation.alert_dialog import AlertDialog
from openalgo_desktop.ui.rooms.automation.alert_study import StudyForm
from openalgo_desktop.ui.rooms.automation.deed_dialog import DeedDialog
from openalgo_desktop.ui.rooms.automation.strategies.editor import StrategyDialog
from openalgo_desktop.ui.rooms.automation.strategies.hooks import of_made
from openalgo_desktop.ui.rooms.automation.strategies.program_editor import ProgramEditor
from openalgo_desktop.ui.rooms.automation.strategies.program_form import ProgramSettings
from openalgo_desktop.ui.rooms.automation.strategies.start import StartDialog
from openalgo_desktop.ui.rooms.automation.telegram import TelegramDialog
from openalgo_desktop.ui.rooms.automation.webhooks import WebhooksDialog
from openalgo_desktop.ui.rooms.charts.dock import ChartDock
from openalgo_desktop.ui.rooms.charts.kind_inputs import KindInputs
from openalgo_desktop.ui.rooms.charts.study.picker import StudyPicker
from openalgo_desktop.ui.rooms.charts.study.settings import StudySettings
from openalgo_desktop.ui.rooms.orders.exits_dialog import ExitsDialog
from openalgo_desktop.ui.rooms.orders.modify import ModifyDialog
from openalgo_desktop.ui.rooms.orders.order_text import OrderText
from openalgo_desktop.ui.rooms.orders.result_dialog import ResultDialog
from openalgo_desktop.ui.rooms.orders.ticket_presets import NameDialog
from openalgo_desktop.ui.rooms.orders.trigger_dialog import TriggerDialog
from openalgo_desktop.ui.rooms.portfolio import closing
from openalgo_desktop.ui.rooms.portfolio.close_all import CloseAllDialog
from openalgo_desktop.ui.rooms.safety.app_lock import LockSetupDialog, PasswordDialog
from openalgo_desktop.ui.rooms.safety.audit_dialog import AuditDialog
from openalgo_desktop.ui.rooms.safety.kill_report import KillReportDialog
from openalgo_desktop.ui.rooms.safety.review import ReviewDialog
from openalgo_desktop.ui.rooms.safety.risk_scopes import RiskScopesDialog
from openalgo_desktop.ui.shell.about import AboutDialog
from openalgo_desktop.ui.shell.crash_report import CrashReportDialog
from openalgo_desktop.ui.shell.diagnostics import DiagnosticsDialog
from openalgo_desktop.ui.shell.emergency import EmergencyPanel
from openalgo_desktop.ui.shell.first_run import FirstRunDialog
from openalgo_desktop.ui.shell.hotkey_editor import HotkeyDialog
from openalgo_desktop.ui.shell.keys_help import KeysDialog
from openalgo_desktop.ui.shell.leaving import LeaveDialog, what_is_left
from openalgo_desktop.ui.shell.main import Session
from openalgo_desktop.ui.shell.settings import SettingsDialog
from openalgo_desktop.ui.shell.start_problem import StartProblemDialog

#: The beginning of a report.
CRASH = """OpenAlgo Desktop: the run before did not end properly.
seen: 2026-11-24 09:00:00 IST
that run began: 2026-11-23 09:01:12

The interpreter left no stacks: it was ended from outside, or the machine stopped.
"""
_STOP = Distance(Decimal(30), DistanceUnit.PERCENT)
#: A made strategy.
STRADDLE = Definition(
    name="Short straddle",
    kind=StrategyKind.BATCH,
    underlying="NIFTY",
    underlying_exchange="NSE_INDEX",
    legs=tuple(
        BatchLeg(
            leg_id=number,
            segment=Segment.OPTIONS,
            position="S",
            option_type=kind,
            expiry=Expiry.WEEKLY,
            rules=LegRules(sl=_STOP, trail=Trail(Decimal(10), Decimal(5))),
        )
        for number, kind in enumerate(("CE", "PE"), 1)
    ),
    overall_sl=Decimal(5000),
)
#: Why a start may fail.
PORT_TAKEN = (
    "Port 5000 on 127.0.0.1 is in use by another program. Close that program, or choose another "
    "port with api.rest_port."
)
#: Requests of a script that the API monitor shows.
REQUESTS: tuple[tuple[str, dict[str, object]], ...] = (
    ("ping", {}),
    ("funds", {}),
    ("quotes", {"symbol": "RELIANCE", "exchange": "NSE"}),
    ("quotes", {"symbol": "NOSUCH", "exchange": "NSE"}),
    ("depth", {"symbol": "SBIN", "exchange": "NSE"}),
    ("orderbook", {}),
    ("positionbook", {}),
)


def near_future(session: Session, name: str) -> Instrument | None:
    """The nearest future of an underlying."""
    table = session.terminal.instruments
    today = session.terminal.clock.now().date()
    expiries = table.expiries(name, "NFO", True, today)
    for instrument in table.rows("NFO"):
        if (
            expiries
            and instrument.name == name
            and instrument.instrument_type == "FUT"
            and instrument.expiry == expiries[0]
        ):
            return instrument
    return None


async def place_some(session: Session) -> None:
    """Fill the books: positions, a delivery buy, a resting limit, a stop and a rejection."""
    bridge, mode = session.bridge, session.bridge.mode
    table = session.terminal.instruments

    async def send(
        instrument: Instrument | None,
        action: Action,
        lots: int,
        kind: PriceType,
        product: Product,
        offset: float = 0.0,
    ) -> None:
        if instrument is None:
            return
        last = (await bridge.snapshot(instrument.key)).ltp
        price = to_tick(last * (1.0 + offset), instrument.tick_size)
        # A refusal is one of the rows that the pictures show.
        with contextlib.suppress(AppError):
            await bridge.desk.place(
                OrderRequest(
                    symbol=instrument.symbol,
                    exchange=instrument.exchange,
                    action=action,
                    quantity=lots * max(1, instrument.lot_size),
                    price_type=kind,
                    product=product,
                    price=price if kind.has_price else 0.0,
                    trigger_price=price if kind.has_trigger else 0.0,
                ),
                mode,
            )

    nifty = near_future(session, "NIFTY")
    bank = near_future(session, "BANKNIFTY")
    get = table.get
    market, limit = PriceType.MARKET, PriceType.LIMIT
    await send(nifty, Action.BUY, 2, market, Product.NRML)
    await send(bank, Action.SELL, 1, market, Product.NRML)
    await send(get(("NSE", "RELIANCE")), Action.BUY, 150, market, Product.MIS)
    await send(get(("NSE", "SBIN")), Action.BUY, 500, market, Product.CNC)
    await send(get(("NSE", "TCS")), Action.SELL, 40, market, Product.MIS)
    await send(get(("NSE", "TCS")), Action.BUY, 40, market, Product.MIS)
    await send(get(("NSE", "INFY")), Action.BUY, 200, limit, Product.MIS, -0.02)
    await send(nifty, Action.SELL, 2, PriceType.SL, Product.NRML, -0.01)
    await send(nifty, Action.SELL, 1, limit, Product.NRML, 0.004)
    await send(nifty, Action.BUY, 5000, market, Product.NRML)
    await watch_some(session)
    await alert_some(session)


async def alert_some(session: Session) -> None:
    """Alerts of every kind; one has told, one is paused."""
    alerts = session.bridge.alerts
    wishes = (
        ("INFY", AlertWhen.CROSSES, 1.01, "", True),
        ("SBIN", AlertWhen.BELOW, 0.98, "", False),
        ("TCS", AlertWhen.DAY_ABOVE, 2.0, "results tonight", False),
        ("RELIANCE", AlertWhen.ABOVE, 1.005, "top of the range", False),
        ("RELIANCE", AlertWhen.ABOVE, 0.98, "", False),
    )
    with contextlib.suppress(AppError):  # not every market has these
        for symbol, when, factor, note, again in wishes:
            last = (await session.bridge.snapshot(("NSE", symbol))).ltp
            level = factor if when.of_day else to_tick(last * factor, 0.1)
            wish = AlertWish("NSE", symbol, when, Decimal(str(level)), again, None, note)
            made = await alerts.add(wish)
            if when is AlertWhen.BELOW:
                await alerts.pause(made.alert_id)


async def watch_some(session: Session) -> None:
    """Stops, targets and triggers of our own, and a trigger at the broker."""
    bridge, mode = session.bridge, session.bridge.mode
    watch = bridge.watch

    async def price(symbol: str, factor: float) -> Decimal:
        last = (await bridge.snapshot(("NSE", symbol))).ltp
        return Decimal(str(to_tick(last * factor, 0.1)))

    def order(symbol: str, action: Action, units: int) -> OrderRequest:
        return OrderRequest(symbol, "NSE", action, units, product=Product.MIS)

    with contextlib.suppress(AppError):  # not every market has these
        targets = (Target(Offset.of(1.5, Unit.PERCENT), 50), Target(Offset.of(3, Unit.PERCENT), 50))
        spec = ExitSpec(
            stop=Offset.of(1, Unit.PERCENT), targets=targets, trail=Offset.of(1.2, Unit.PERCENT)
        )
        await watch.protect("RELIANCE", "NSE", Product.MIS, mode, spec)
        infy, sbin = order("INFY", Action.BUY, 100), order("SBIN", Action.SELL, 250)
        await watch.add_trigger((TriggerLeg(await price("INFY", 1.01), False, infy),), mode)
        pair = (
            TriggerLeg(await price("SBIN", 0.98), True, sbin),
            TriggerLeg(await price("SBIN", 1.02), False, sbin),
        )
        paused = await watch.add_trigger(pair, mode)
        await watch.pause(paused.plan_id, mode)
        await watch.add_result(mode, loss=25_000)
        low = float(await price("TCS", 0.97))
        gtt = GttRequest(GttType.SINGLE, "TCS", "NSE", Action.BUY, 20, price=low, trigger_below=low)
        await watch.place_gtt(gtt, mode)


async def ask_some(session: Session) -> None:
    """Requests over the wire, and two orders that wait for a human."""
    rest, _, _ = session.bridge.api.state()
    key = await session.bridge.api.default_key()
    if rest and key is not None:
        for name, body in REQUESTS:
            await send_request(ApiCall("POST", f"{rest}/api/v1/{name}", body), key)
    for symbol, action, quantity in (("HDFCBANK", "BUY", "75"), ("ICICIBANK", "SELL", "120")):
        body = {
            "symbol": symbol,
            "exchange": "NSE",
            "action": action,
            "quantity": quantity,
            "product": "MIS",
            "pricetype": "MARKET",
        }
        await session.terminal.approvals.queue("placeorder", body, "webhook:Breakout 15m")


async def dialogs(session: Session) -> list[QDialog]:
    """One of each dialog with something to show."""
    bridge, window = session.bridge, session.window
    if len(await bridge.api.keys()) == 1:
        await bridge.api.create_key("TradingView alerts", KeyRights.TRADE, "")
        await bridge.api.create_key("Excel sheet", KeyRights.READ, bridge.account_ids()[0])
    keys = ApiKeysDialog(window, bridge, Secret("0" * 64))  # no working key in a picture
    await keys.load()
    held = [row for row in bridge.books.positions if row.quantity]
    rows, cancelled = closing.lines(bridge, held), closing.count(bridge, held)
    question = (
        f"{len(held)} positions will be closed at market in the sandbox. {closing.words(cancelled)}"
    )
    close_all = CloseAllDialog(window, bridge, held)
    close_all.setObjectName("dialog-close-all")
    found: list[QDialog] = [
        keys,
        SettingsDialog(window, bridge),
        ConfirmDialog(window, "Close positions?", question, "Close all", rows, danger=True),
        close_all,
    ]
    hooks = WebhooksDialog(window, bridge)
    hooks.name.setText("Breakout 15m")
    for symbol, quantity in (("HDFCBANK", 75), ("ICICIBANK", 120)):
        hooks.symbols.add(SymbolMap(symbol, "NSE", quantity))
    found.append(hooks)
    if "zerodha" not in bridge.accounts.names():
        await bridge.accounts.add("zerodha")
    found += [AccountsDialog(window, bridge), LoginDialog(window, bridge, "zerodha")]
    risk = RiskScopesDialog(window, bridge)
    risk.subject.setText("NFO:NIFTY29DEC26FUT")
    risk.fields["max_lots"].setValue(10)
    risk.fields["day_loss"].setValue(25_000)
    found += [risk, ReviewDialog(window, bridge)]
    report = KillReport(bridge.mode, "window", bridge.now(), 3, 0, 4, 0)
    found.append(KillReportDialog(window, report))
    trail = AuditDialog(window, bridge)
    await trail.load()
    found.append(trail)
    found.append(AboutDialog(window))
    helper = DiagnosticsDialog(window, bridge)
    await helper.load()
    found.append(helper)
    crash = Path("crash-report-2026-11-24-090000.txt")
    found.append(CrashReportDialog(window, bridge, crash, CRASH))
    found.append(LockSetupDialog(window, bridge))
    found.append(PasswordDialog(window, bridge, "The window is locked.", bridge.lock.require))
    if working := bridge.books.working():
        found.append(ModifyDialog(window, bridge, working[0]))
        found.append(OrderText(window, bridge, working[0]))
    preset = NameDialog(window, {"Nifty scalp": {}})
    preset.text.setText("Nifty scalp")
    found.append(preset)
    found.append(AlertDialog(window, bridge, ("NSE", "SBIN")))
    found.append(DrawingDialog(window, _plan(bridge), 2, lambda _row: None))
    found.append(StudyForm(window, bridge))
    found.append(TriggerDialog(window, bridge, ("NSE", "SBIN")))
    found.append(ExitsDialog.of_position(window, bridge, ("NSE", "RELIANCE"), Product.MIS))
    found.append(ResultDialog(window, bridge))
    return (
        found + await _strategy_dialogs(session) + _chart_dialogs(session) + _shell_dialogs(session)
    )


async def _strategy_dialogs(session: Session) -> list[QDialog]:
    """A made strategy, its start, a program and the Telegram bot."""
    bridge, window = session.bridge, session.window
    known = bridge.programs.all()
    program = known[0] if known else await bridge.programs.add_sample("tick_printer")
    text = ProgramEditor(window, bridge, program)
    await text.load()
    telegram = TelegramDialog(window, bridge)
    await telegram.load()
    editor = StrategyDialog(window, bridge, draft=STRADDLE)
    editor.tabs.setCurrentIndex(1)
    start = StartDialog(window, STRADDLE.name, describe.lines(STRADDLE), "", "zerodha:AB1234")
    made = [row for row in await bridge.strategies.made() if row.definition.name == STRADDLE.name]
    alerts = of_made(window, bridge, made[0] if made else await bridge.strategies.create(STRADDLE))
    deed = DeedDialog(window, bridge, ("NSE", "SBIN"))
    return [editor, start, alerts, deed, text, ProgramSettings(window, bridge, program), telegram]


def _chart_dialogs(session: Session) -> list[QDialog]:
    """Indicators of the chart, the inputs of one of them and of a kind that is made of bars."""
    window = session.window
    chart = next(dock for dock in window.docks.values() if isinstance(dock, ChartDock))
    hand = chart.cell.study_hand
    if not hand.wishes:
        hand.add("bollinger")
    wish = hand.wishes[0]
    settings = StudySettings(hand, wish, session.bridge.studies.spec(wish.study), window)
    inputs = KindInputs(window, BY_KIND["renko"], {}, lambda _values: None)
    return [StudyPicker(hand, window), settings, inputs]


def _plan(bridge: Bridge) -> Drawing:
    """A drawing with all that its form asks."""
    prices = (812.0, 806.5, 823.0)
    anchors = [Anchor(float(number), price) for number, price in enumerate(prices)]
    return bridge.drawings.made(tool("long-position"), anchors)


def _shell_dialogs(session: Session) -> list[QDialog]:
    """Keys, first steps, leaving, and what works while locked."""
    bridge, window = session.bridge, session.window
    keys = window.hands.hotkeys
    orders = window.docks["orders"]
    found: list[QDialog] = [
        HotkeyDialog(window, keys, bridge.spawn),
        KeysDialog(window, orders.title, orders.hotkeys.lines(), keys),
    ]
    at = AtWork(2, 1, 4, 3, 1, 2, ("Breakout 15m",), 2)
    found.append(LeaveDialog(window, what_is_left(at, "Zerodha (AB1234)"), True))
    found.append(TextDialog(window, "Save workspace as", "Name", "Expiry day", str.strip))
    found.append(StartProblemDialog(ConfigError(PORT_TAKEN)))
    locked = PasswordDialog(window, bridge, "The window is locked.", bridge.lock.unlock, must=True)
    locked.setObjectName("dialog-password-locked")
    locked.add_below(EmergencyPanel(bridge, locked))
    found.append(locked)
    for step in range(5):
        steps = FirstRunDialog(window, bridge, window.workplaces())
        steps.setObjectName(f"{steps.objectName()}-{step + 1}")
        steps.login.show_account("zerodha")
        steps.show_step(step)
        found.append(steps)
    return found
