"""Kill switch, mode, action centre, sandbox."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from openalgo_desktop.config.operations import WHO
from openalgo_desktop.core.api_rows import Approval
from openalgo_desktop.core.clock import age_text, api_timestamp
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.runtime.hands.ports import Owned, Result


# -- kill switch ----------------------------------------------------------------------------
async def kill_status(owned: Owned, data: dict[str, Any]) -> Result:
    """Whether new orders are blocked, and what the last pull did."""
    blocked = owned.desk.risk.blocked
    report = owned.kill_switch.report
    text = f"New orders are blocked: {blocked}" if blocked else "New orders are accepted."
    return Result(f"{text}\n{report.text}" if report is not None else text)


async def kill_now(owned: Owned, data: dict[str, Any]) -> Result:
    """Pull it."""
    report = await owned.kill_switch.trip(WHO, flatten=not data["cancel_only"])
    left = report.resting or (report.open_positions and not data["cancel_only"])
    return Result("\n".join([report.text, *report.errors]), failed=bool(left))


async def kill_reset(owned: Owned, data: dict[str, Any]) -> Result:
    """Accept new orders again."""
    return Result(await owned.kill_switch.reset(WHO))


# -- mode -----------------------------------------------------------------------------------
async def mode_get(owned: Owned, data: dict[str, Any]) -> Result:
    """Where the next order goes."""
    return Result(owned.desk.mode.value)


async def mode_sandbox(owned: Owned, data: dict[str, Any]) -> Result:
    """Orders go to the paper account."""
    await owned.desk.set_mode(Mode.SANDBOX, WHO)
    return Result("Orders go to the sandbox from now on.")


async def mode_live(owned: Owned, data: dict[str, Any]) -> Result:
    """Orders go to the broker."""
    await owned.desk.set_mode(Mode.LIVE, WHO)
    status = owned.accounts[owned.accounts.orders].status
    name = status.title or status.broker
    return Result(f"LIVE: orders go to {name} ({status.client_id}) with real money from now on.")


# -- action centre --------------------------------------------------------------------------
def _approval_row(row: Approval, now: datetime) -> dict[str, Any]:
    return {
        "id": row.approval_id,
        "status": row.status.value,
        "source": row.source,
        "what": row.kind,
        "request": msgspec.json.encode(row.payload).decode(),
        "queued": api_timestamp(row.created_at),
        "age": age_text((now - row.created_at).total_seconds()),
        "expires": api_timestamp(row.expires_at),
        "by": row.decided_by,
        "result": row.result or row.reason,
    }


async def approvals_list(owned: Owned, data: dict[str, Any]) -> Result:
    """What waits; with ``all`` what was decided, too."""
    now = owned.clock.now()
    if data["all"]:
        return Result(rows=[_approval_row(row, now) for row in await owned.approvals.recent(200)])
    rows = [_approval_row(row, now) for row in owned.approvals.pending()]
    for row in rows:
        del row["by"], row["result"], row["status"]
    return Result("" if rows else "Nothing waits.", rows)


async def approvals_approve(owned: Owned, data: dict[str, Any]) -> Result:
    """Send a waiting request."""
    answer = await owned.approvals.approve(data["id"], WHO, accept_drift=data["accept_price"])
    return Result(msgspec.json.encode(answer, enc_hook=str).decode())


async def approvals_reject(owned: Owned, data: dict[str, Any]) -> Result:
    """Drop a waiting request."""
    reason = data["reason"] or "rejected on the command line"
    await owned.approvals.reject(data["id"], reason, WHO)
    return Result(f"Request {data['id']} is rejected; nothing was sent.")


# -- sandbox --------------------------------------------------------------------------------
async def sandbox_status(owned: Owned, data: dict[str, Any]) -> Result:
    """Money and counts of the paper account."""
    summary = owned.sandbox.summary()
    orders, positions = await owned.sandbox.orders(), await owned.sandbox.positions()
    facts = {
        "capital": f"{summary.capital:.2f}",
        "equity": f"{summary.equity:.2f}",
        "orders": len(orders),
        "working": sum(1 for row in orders if row.status.is_working),
        "positions": sum(1 for row in positions if row.quantity),
    }
    return Result(rows=[facts])


async def sandbox_reset(owned: Owned, data: dict[str, Any]) -> Result:
    """Empty the paper account."""
    await owned.reset_sandbox()
    return Result(f"The sandbox is empty and has {owned.sandbox.summary().capital:.2f} rupees.")
