"""Analyzer switch, ping, and the control door of the simulator."""

from __future__ import annotations

from typing import Any

from openalgo_desktop.core.enums import AccountState, KeyRights, Mode
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.local_api.table import ApiError, Call


def _analyzer_data(mode: Mode) -> dict[str, Any]:
    return {
        "mode": mode.api_text,
        "analyze_mode": mode is Mode.SANDBOX,
        "total_logs": 0,
    }


async def analyzer(call: Call) -> dict[str, Any]:
    return {"status": "success", "data": _analyzer_data(call.desk.mode)}


async def analyzer_toggle(call: Call) -> dict[str, Any]:
    mode = Mode.SANDBOX if call.data["mode"] else Mode.LIVE
    if mode is Mode.LIVE and call.key is not None and call.key.rights is KeyRights.SANDBOX:
        raise ApiError(403, f"API key '{call.key.name}' may trade in the sandbox only.")
    await call.ctx.desk.set_mode(mode, call.source)
    data = _analyzer_data(call.ctx.desk.mode)
    data["message"] = f"Analyzer mode switched to {data['mode']}"
    return {"status": "success", "data": data}


async def ping(call: Call) -> dict[str, Any]:
    status = call.ctx.account_status()
    if status.state in (AccountState.OFFLINE, AccountState.LOGIN_NEEDED):
        raise ApiError(403, f"No session with {status.broker}. Log in to the broker first.")
    return {"status": "success", "data": {"message": "pong", "broker": status.broker}}


async def simulator_control(call: Call) -> dict[str, Any]:
    control = call.ctx.control
    if control is None:
        raise ApiError(404, "Not found")
    try:
        result = await control(call.data)
    except ConfigError as error:
        raise ApiError(400, error.message) from None
    return {"status": "success", "data": result}


async def health(call: Call) -> dict[str, Any]:
    return {
        "status": "pass",
        "version": "1.0",
        "serviceId": "openalgo",
        "description": "OpenAlgo Desktop local API",
    }
