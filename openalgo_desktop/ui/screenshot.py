"""Pictures of the window and of every dock in both themes, from the simulator."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from dataclasses import replace
from pathlib import Path

from PySide6.QtWidgets import QApplication, QDialog, QWidget

from openalgo_desktop.app import TerminalOptions
from openalgo_desktop.core.enums import Action, KeyRights, Mode, PriceType, Product
from openalgo_desktop.core.errors import AppError, ConfigError
from openalgo_desktop.core.model import Instrument, OrderRequest
from openalgo_desktop.core.money import to_tick
from openalgo_desktop.core.secret import Secret
from openalgo_desktop.ui.dialogs.api_keys import ApiKeysDialog
from openalgo_desktop.ui.dialogs.confirm import ConfirmDialog
from openalgo_desktop.ui.dialogs.modify import ModifyDialog
from openalgo_desktop.ui.dialogs.settings import SettingsDialog
from openalgo_desktop.ui.loop import PumpEventLoop
from openalgo_desktop.ui.main import Session, make_application
from openalgo_desktop.ui.widgets import name_inner_controls

SIZE = (1920, 1080)
THEMES = ("dark", "light")
#: Time for history, ticks and fills to arrive before the pictures are taken, seconds.
SETTLE = 4.0


def _near_future(session: Session, name: str) -> Instrument | None:
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


async def _place_some(session: Session) -> None:
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
            await bridge.place(
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

    nifty = _near_future(session, "NIFTY")
    bank = _near_future(session, "BANKNIFTY")
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


async def _dialogs(session: Session) -> list[QDialog]:
    """One of each dialog with something to show."""
    bridge, window = session.bridge, session.window
    if len(await bridge.api.keys()) == 1:
        await bridge.api.create_key("TradingView alerts", KeyRights.TRADE, "")
        await bridge.api.create_key("Excel sheet", KeyRights.READ, bridge.account_ids()[0])
    keys = ApiKeysDialog(window, bridge, Secret("0" * 64))  # no working key in a picture
    await keys.load()
    rows = [f"SELL {row.quantity} {row.symbol} at market" for row in bridge.books.positions]
    question = "5 positions will be closed at market in the sandbox."
    found: list[QDialog] = [
        keys,
        SettingsDialog(window, bridge),
        ConfirmDialog(window, "Close all positions?", question, "Close all", rows, danger=True),
    ]
    if working := bridge.books.working():
        found.append(ModifyDialog(window, bridge, working[0]))
    return found


def _grab(widget: QWidget, path: Path) -> None:
    if not widget.grab().save(str(path)):
        raise ConfigError(f"The picture {path} could not be written.")


async def _shoot(app: QApplication, out: Path, options: TerminalOptions) -> int:
    session = Session(app, options)
    await session.start()
    window = session.window
    try:
        window.resize(*SIZE)
        window.default_layout()
        await _place_some(session)
        nifty = _near_future(session, "NIFTY")
        if nifty is not None:
            session.bridge.select(nifty.key)
        await asyncio.sleep(SETTLE)
        window.toasts.clear()
        for name in THEMES:
            session.bridge.set_setting("ui.theme", name)
            window.default_layout()
            await asyncio.sleep(0.5)
            _grab(window, out / f"window-{name}.png")
            for dock_name, dock in window.docks.items():
                dock.raise_()
                await asyncio.sleep(0.2)
                _grab(dock, out / f"dock-{dock_name}-{name}.png")
            for dialog in await _dialogs(session):
                name_inner_controls(dialog)
                dialog.show()
                await asyncio.sleep(0.2)
                _grab(dialog, out / f"{dialog.objectName()}-{name}.png")
                dialog.close()
                dialog.deleteLater()
    finally:
        await session.stop()
    return 0


def run_screenshots(out: Path, options: TerminalOptions) -> int:
    """Write ``window-<theme>.png`` and ``dock-<name>-<theme>.png`` into ``out``.

    Runs on a temporary data folder and free ports, in the sandbox, so that it neither needs nor
    touches anything of the user.
    """
    out.mkdir(parents=True, exist_ok=True)
    # The same pictures everywhere, and no window jumps at the user meanwhile.
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = make_application()
    loop = PumpEventLoop(app)
    asyncio.set_event_loop(loop)
    overrides = {"api.rest_port": 0, "api.ws_port": 0, **options.overrides}
    try:
        with tempfile.TemporaryDirectory() as folder:
            options = replace(
                options, data_dir=Path(folder), mode=Mode.SANDBOX, overrides=overrides
            )
            return int(loop.run_until_complete(_shoot(app, out, options)))
    finally:
        loop.close()
