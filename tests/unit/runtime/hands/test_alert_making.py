"""Alerts made by the owner's commands, in a whole engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from openalgo_desktop.automation.alerts.webhook import SCOPE
from openalgo_desktop.core.alert_acts import PostTo, SendOrder
from openalgo_desktop.core.alert_subjects import (
    Edge,
    Figure,
    OfCombination,
    OfGreek,
    OfOrders,
    OfResult,
    OfTime,
    OrderNews,
    ResultOf,
)
from openalgo_desktop.core.alerts import Pace
from openalgo_desktop.core.enums import Mode, PriceType
from openalgo_desktop.runtime.hands.door import OwnerDoor
from openalgo_desktop.runtime.options import TerminalOptions
from openalgo_desktop.runtime.terminal import Terminal


@pytest.fixture
async def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Terminal]:
    monkeypatch.setenv("OPENALGO_VAULT", "file")
    options = TerminalOptions(
        data_dir=tmp_path, overrides={"api.enabled": False}, sim_frozen=True, sim_control=True
    )
    made = Terminal(options)
    await made.start()
    yield made
    await made.stop()


async def test_every_kind_by_command(terminal: Terminal):
    door, alerts = OwnerDoor(terminal), terminal.alerts
    account = terminal.sandbox.account_id

    async def run(verb: str, **args: Any) -> str:
        answer = await door.run("alerts", verb, {"args": args})
        assert answer["status"] == "success", answer
        return str(answer["text"])

    async def refused(verb: str, **args: Any) -> str:
        answer = await door.run("alerts", verb, {"args": args})
        assert answer["status"] == "error", answer
        return str(answer["message"])

    option = next(row for row in terminal.instruments.rows() if row.is_option)
    named = f"{option.exchange}:{option.symbol}"
    await run("add", when="crosses", level="900", symbol="NSE:SBIN", repeat="bar", span="5m")
    await run("add", when="above", symbol="NSE:SBIN", against="NSE:INFY / 2")
    await run("add", when="above", level="30", symbol=named, of="iv")
    await run("add", when="below", level="-5000", of="pnl", mode="sandbox", tell=["sound"])
    await run("add", when="above", level="1", of="pnl-strategy", mode="sandbox", strategy="orb")
    await run("add", when="happens", of="time", at="09:20", note="tea")
    await run("add", when="happens", of="time", close="-15", symbol="NSE:SBIN")
    await run("add", when="happens", of="orders", mode="live", news=["rejected"])
    wishes = [row.wish for row in reversed(alerts.all())]
    assert wishes[0].pace is Pace.BAR and wishes[0].again and wishes[0].span == "5m"
    assert wishes[1].against == OfCombination("NSE:INFY / 2")
    assert (wishes[2].subject, wishes[2].symbol) == (OfGreek(Figure.IV), option.symbol)
    assert wishes[3].subject == OfResult(Mode.SANDBOX, account)
    assert wishes[3].channels == ("sound",) and wishes[3].symbol == ""
    assert wishes[4].subject == OfResult(Mode.SANDBOX, account, ResultOf.STRATEGY, "orb")
    daily, edge = wishes[5].subject, wishes[6].subject
    assert isinstance(daily, OfTime) and f"{daily.daily:%H:%M}" == "09:20"
    assert isinstance(edge, OfTime) and (edge.edge, edge.minutes) == (Edge.CLOSE, -15)
    assert wishes[7].subject == OfOrders(Mode.LIVE, (OrderNews.REJECTED,))
    first = alerts.all()[-1].alert_id
    text = await run("post", id=first, url="https://example.com/hook", secret="hook")
    assert text == f"Alert {first} posts when it tells."
    await run("secret", name="hook", value="s3cr3t")
    kept = await terminal.vault.get(f"{SCOPE}hook")
    assert kept is not None and kept.reveal() == "s3cr3t"
    wrong = {"action": "BUY", "quantity": 5, "symbol": "NSE:SBIN", "mode": "sandbox"}
    assert "how many orders a day" in await refused("order", id=first, **wrong)
    await run("order", id=first, **wrong, per_day=2, price="700")
    post, order = alerts.get(first).wish.acts
    assert isinstance(post, PostTo) and isinstance(order, SendOrder)
    assert (order.account, order.mode, order.per_day) == (account, Mode.SANDBOX, 2)
    assert (order.request.price_type, order.request.price) == (PriceType.LIMIT, 700.0)
    rows = (await door.run("alerts", "list", {}))["rows"]
    assert rows[-1]["action"] == "POST to example.com, BUY 5 SBIN (sandbox)"
    assert rows[0]["condition"] == "an order is rejected (live)" and rows[0]["symbol"] == ""
    assert "no strategy nobody" in await refused("stop", id=first, name="nobody")
    assert "say sandbox or live" in await refused("add", when="below", level="1", of="pnl")
    assert "'soon' must be one of" in await refused("add", when="soon")
    assert "no number" in await refused("add", when="above", level="x")
    assert "is no time" in await refused("add", when="happens", of="time", at="noon")
    await run("disarm", id=first)
    assert alerts.get(first).wish.acts == ()
    await run("secret", name="hook")
    assert await terminal.vault.get(f"{SCOPE}hook") is None
