"""Alerts that were taken and not sent, by an earlier run of the program or while the disk was full:
a human sends or drops them.

They wait in the action centre; here they have commands of their own, because sending one is
sending an order at the price of now, however old the alert is.
"""

from __future__ import annotations

from typing import Any

import msgspec

from openalgo_desktop.config.operations import WHO
from openalgo_desktop.core.api_rows import Approval
from openalgo_desktop.core.clock import age_text, api_timestamp
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.runtime.hands.ports import Owned, Result
from openalgo_desktop.trading.webhooks import NOT_SENT, NOT_STORED


def _unsent(owned: Owned) -> dict[int, Approval]:
    rows = owned.approvals.pending()
    return {row.approval_id: row for row in rows if row.reason in (NOT_SENT, NOT_STORED)}


def _find(owned: Owned, number: int) -> Approval:
    try:
        return _unsent(owned)[number]
    except KeyError:
        raise ConfigError(
            f"id: {number} is no unsent alert (openalgo-desktop webhooks unsent)."
        ) from None


def _age(owned: Owned, row: Approval) -> str:
    return age_text(max(0.0, (owned.clock.now() - row.created_at).total_seconds()))


def _order(row: Approval) -> str:
    body = row.payload
    size = f", position size {body['position_size']}" if "position_size" in body else ""
    return (
        f"{body['action']} {body['quantity']} {body['exchange']}:{body['symbol']} "
        f"{body['product']} {body['pricetype']}{size}"
    )


async def webhooks_unsent(owned: Owned, data: dict[str, Any]) -> Result:
    """What waits, oldest first."""
    rows = [
        {
            "id": row.approval_id,
            "from": row.source,
            "order": _order(row),
            "came": api_timestamp(row.created_at),
            "age": _age(owned, row),
        }
        for row in _unsent(owned).values()
    ]
    return Result("" if rows else "No alert is unsent.", rows)


async def webhooks_send(owned: Owned, data: dict[str, Any]) -> Result:
    """Send one; the price at which it came is not known, so that of now is accepted."""
    row = _find(owned, data["id"])
    age = _age(owned, row)
    answer = await owned.approvals.approve(row.approval_id, WHO, accept_drift=True)
    said = msgspec.json.encode(answer, enc_hook=str).decode()
    return Result(f"{_order(row)} of {row.source} was sent {age} after its alert: {said}")


async def webhooks_drop(owned: Owned, data: dict[str, Any]) -> Result:
    """Forget one."""
    row = _find(owned, data["id"])
    await owned.approvals.reject(row.approval_id, "dropped on the command line", WHO)
    return Result(f"Alert {row.approval_id} is dropped ({_order(row)}); nothing was sent.")
