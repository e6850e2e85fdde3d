"""Alerts without a window: what is watched, what was told and done."""

from __future__ import annotations

from typing import Any

from openalgo_desktop.core.alert_acts import act_name
from openalgo_desktop.core.alerts import PriceAlert
from openalgo_desktop.core.clock import api_timestamp
from openalgo_desktop.runtime.hands.ports import Owned, Result


def _named(alert: PriceAlert) -> str:
    on = f" on {alert.wish.exchange}:{alert.wish.symbol}" if alert.wish.symbol else ""
    return f"Alert {alert.alert_id}{on}"


async def alerts_list(owned: Owned, data: dict[str, Any]) -> Result:
    """All of them, newest first."""
    rows = [
        {
            "id": row.alert_id,
            "symbol": f"{row.wish.exchange}:{row.wish.symbol}".strip(":"),
            "condition": owned.alerts.words.describe(row.wish),
            "action": ", ".join(map(act_name, row.wish.acts)),
            "state": row.state.value,
            "told": row.count,
            "trouble": owned.alerts.trouble(row) or row.why,
        }
        for row in owned.alerts.all()
    ]
    return Result("" if rows else "There is no alert.", rows)


async def alerts_log(owned: Owned, data: dict[str, Any]) -> Result:
    """What was told, newest first."""
    rows = [
        {
            "time": api_timestamp(row.at),
            "symbol": f"{row.exchange}:{row.symbol}".strip(":"),
            "told": row.text,
            "taken by": ", ".join(
                f"{name}: {row.notes[name]}" if name in row.notes else name for name in row.accepted
            ),
            "refused": "; ".join(f"{name}: {why}" for name, why in row.refused.items()),
        }
        for row in owned.alerts.teller.rows()
    ]
    return Result("" if rows else "No alert has told anything.", rows)


async def alerts_pause(owned: Owned, data: dict[str, Any]) -> Result:
    """Watch one no more."""
    alert = await owned.alerts.pause(data["id"])
    return Result(f"{_named(alert)} is {alert.state.value}.")


async def alerts_resume(owned: Owned, data: dict[str, Any]) -> Result:
    """Watch one again."""
    alert = await owned.alerts.resume(data["id"])
    return Result(f"{_named(alert)} is watched.")


async def alerts_delete(owned: Owned, data: dict[str, Any]) -> Result:
    """End one."""
    alert = owned.alerts.get(data["id"])
    await owned.alerts.delete(alert.alert_id)
    return Result(f"{_named(alert)} is deleted.")
