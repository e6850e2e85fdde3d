"""Made strategies: what they are, what they do, and starting and stopping them. Nothing here makes,
changes or deletes one, or lets one go live: that is done in the window."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from openalgo_desktop.core.enums import KeyRights, Mode
from openalgo_desktop.core.errors import AppError, ConfigError, StorageError
from openalgo_desktop.core.strategies.ports import (
    EveryEntryRejected,
    NotNow,
    StrategyEngine,
    StrategyNotFound,
)
from openalgo_desktop.core.strategies.rows import MadeStrategy, Run, StopAnswer
from openalgo_desktop.core.strategies.words import (
    EventKind,
    RunStatus,
    Severity,
    StrategyKind,
    TriggerSource,
)
from openalgo_desktop.local_api.strategy_rows import (
    entry_rows,
    event_row,
    exit_rows,
    order_row,
    run_row,
    strategy_row,
)
from openalgo_desktop.local_api.strategy_words import (
    ALL_REJECTED,
    EXITS_REFUSED,
    LIVE_DISABLED,
    NO_ENGINE,
    NO_START,
    NOT_FOUND,
    NOT_RUNNING,
)
from openalgo_desktop.local_api.table import ApiError, Call

#: Ids above this are of no row: a database counts in 64 bits.
_MOST = 2**63 - 1


def _engine(call: Call) -> StrategyEngine:
    if call.ctx.strategies is None:
        raise ApiError(503, NO_ENGINE)
    return call.ctx.strategies


async def _found(call: Call) -> tuple[StrategyEngine, MadeStrategy]:
    """The engine and the strategy that the request names."""
    engine, number = _engine(call), call.data["strategy_id"]
    if number > _MOST:
        raise ApiError(404, NOT_FOUND)
    try:
        return engine, await engine.get(number)
    except StrategyNotFound:
        raise ApiError(404, NOT_FOUND) from None


async def _last_runs(engine: StrategyEngine, rows: Iterable[MadeStrategy]) -> dict[int, Run]:
    """The last finished runs of these strategies, by run id."""
    ids = [made.last_finalized_run for made in rows if made.last_finalized_run is not None]
    found = await asyncio.gather(*map(engine.run, ids))
    return {run.run_id: run for run in found if run is not None}


# -- reading --------------------------------------------------------------------------------
async def strategy_list(call: Call) -> dict[str, Any]:
    engine, status = _engine(call), call.data["status"]
    rows = await engine.find(RunStatus(status) if status else None, call.data["q"])
    last = await _last_runs(engine, rows)
    return {
        "status": "success",
        "data": [
            strategy_row(made, last.get(made.last_finalized_run or 0), legs=False) for made in rows
        ],
    }


async def strategy_status(call: Call) -> dict[str, Any]:
    engine, made = await _found(call)
    last = await _last_runs(engine, (made,))
    run = None if made.current_run_id is None else await engine.run(made.current_run_id)
    return {
        "status": "success",
        "data": strategy_row(made, last.get(made.last_finalized_run or 0), legs=True),
        "run": None if run is None else run_row(run),
    }


async def strategy_runs(call: Call) -> dict[str, Any]:
    engine, made = await _found(call)
    rows = await engine.runs(made.strategy_id, call.data["limit"])
    return {"status": "success", "data": [run_row(run) for run in rows]}


async def strategy_orders(call: Call) -> dict[str, Any]:
    engine, made = await _found(call)
    run_id = call.data["run_id"]
    rows = [] if _nowhere(run_id) else await engine.orders(made.strategy_id, run_id)
    return {"status": "success", "data": [order_row(order) for order in rows]}


async def strategy_events(call: Call) -> dict[str, Any]:
    engine, made = await _found(call)
    data = call.data
    if _nowhere(data["run_id"]):
        return {"status": "success", "data": []}
    rows = await engine.events(
        made.strategy_id,
        data["run_id"],
        EventKind(data["kind"]) if data["kind"] else None,
        Severity(data["severity"]) if data["severity"] else None,
        data["limit"],
    )
    return {"status": "success", "data": [event_row(event) for event in rows]}


def _nowhere(run_id: int | None) -> bool:
    return run_id is not None and run_id > _MOST


# -- starting and stopping ------------------------------------------------------------------
def _check_key(call: Call, mode: Mode, account_id: str) -> None:
    """Raise 403 where the key may not move a strategy in that mode and account."""
    key = call.key
    if key is None:
        return
    if mode is Mode.LIVE and key.rights is KeyRights.SANDBOX:
        raise ApiError(403, f"API key '{key.name}' may trade in the sandbox only.")
    bound = key.account_id
    if not bound or account_id in ("", bound, *_paper_of(bound, mode)):
        return
    if mode is Mode.SANDBOX and bound == call.ctx.account_status().account_id:
        return  # the account whose prices the paper account trades at
    raise ApiError(403, f"API key '{key.name}' belongs to account {bound}.")


def _paper_of(account_id: str, mode: Mode) -> tuple[str, ...]:
    return (f"sandbox:{account_id}",) if mode is Mode.SANDBOX else ()


def _serving(call: Call, mode: Mode) -> str:
    """Who takes orders of a mode now; nobody is said by the engine itself."""
    try:
        return call.ctx.desk.gateway_of(mode).account_id
    except AppError:
        return ""


def _check_approval(call: Call) -> None:
    """Orders of a sender that waits for a human may not come by a strategy instead."""
    approvals = call.ctx.approvals
    if approvals is not None and approvals.needed(call.source):
        raise ApiError(
            403,
            f"Orders of {call.source} wait in the action centre, so it may not start a strategy. "
            "Start it in the window, or take the sender out of the setting approvals.sources.",
        )


async def strategy_start(call: Call) -> dict[str, Any]:
    engine, made = await _found(call)
    mode = Mode(call.data["mode"])
    _check_key(call, mode, _serving(call, mode))
    _check_approval(call)
    if made.definition.kind is StrategyKind.SIGNAL:
        raise ApiError(400, NO_START)
    if mode is Mode.LIVE and not made.live_enabled:
        raise ApiError(409, LIVE_DISABLED)
    try:
        answer = await engine.start(made.strategy_id, mode, TriggerSource.MANUAL, call.source)
    except StrategyNotFound:
        raise ApiError(404, NOT_FOUND) from None
    except EveryEntryRejected:
        raise ApiError(400, ALL_REJECTED) from None
    except NotNow as error:
        raise ApiError(409, error.message) from None
    except ConfigError as error:
        raise ApiError(400, error.message) from None
    return {
        "status": "success",
        "run_id": answer.run_id,
        "mode": answer.mode.value,
        "legs": entry_rows(answer.legs),
    }


async def _stop(call: Call, *, close_all: bool) -> dict[str, Any]:
    engine, made = await _running(call)
    answer = await _left(engine.stop(made.strategy_id, call.source, close_all=close_all))
    fields = {"run_id": answer.run_id, "stop_pending": answer.pending}
    return {"status": "success", **_checked(answer, fields)}


async def strategy_stop(call: Call) -> dict[str, Any]:
    return await _stop(call, close_all=False)


async def strategy_close_all(call: Call) -> dict[str, Any]:
    return await _stop(call, close_all=True)


async def strategy_close_leg(call: Call) -> dict[str, Any]:
    engine, made = await _running(call)
    leg, view = call.data["leg_id"], engine.view(made.strategy_id)
    if view is not None and not any(
        row.leg_id == leg and row.state != "closed" for row in view.legs
    ):
        raise ApiError(409, f"Leg {leg} is not open")
    answer = await _left(engine.close_leg(made.strategy_id, leg, call.source))
    fields = {"run_id": answer.run_id, "leg_id": leg, "run_stopped": answer.run_stopped}
    return {"status": "success", **_checked(answer, fields)}


async def _running(call: Call) -> tuple[StrategyEngine, MadeStrategy]:
    """A strategy with a run that the key may move."""
    engine, made = await _found(call)
    run = None if made.current_run_id is None else await engine.run(made.current_run_id)
    if run is None:
        raise ApiError(409, NOT_RUNNING)
    _check_key(call, run.mode, run.account_id)
    return engine, made


async def _left(leaving: Any) -> StopAnswer:
    try:
        answer: StopAnswer = await leaving
    except StrategyNotFound:
        raise ApiError(404, NOT_FOUND) from None
    except NotNow as error:
        raise ApiError(409, error.message) from None
    except StorageError:
        raise
    except ConfigError as error:
        raise ApiError(400, error.message) from None
    return answer


def _checked(answer: StopAnswer, fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of the answer; refused where not one of the exits was taken."""
    rows = exit_rows(answer.exits)
    if rows and not any(row["ok"] for row in rows):
        raise ApiError(409, EXITS_REFUSED, **fields, exits=rows)
    return fields | {"exits": rows}
