"""Hosted programs: add, run, schedule, promote, logs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from openalgo_desktop.config.operations import WHO
from openalgo_desktop.core.clock import api_timestamp, from_epoch
from openalgo_desktop.core.enums import Mode
from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.near import did_you_mean
from openalgo_desktop.core.numbers import is_digits
from openalgo_desktop.core.strategies.hosted import (
    AtWindowEnd,
    Hosted,
    HostedState,
    HostedView,
    Hours,
    Quotas,
    TradeRecord,
)
from openalgo_desktop.runtime.hands.ports import Owned, Result

if TYPE_CHECKING:
    from openalgo_desktop.automation.host.ports import LogEntry

_ENDS = {
    "stop": AtWindowEnd.STOP,
    "square-off": AtWindowEnd.SQUARE_OFF,
    "leave": AtWindowEnd.LEAVE,
}
#: Fields of a program that ``set`` changes, beside ``quotas.*`` and ``parameters.*``.
_FIELDS = (
    "exchange",
    "interpreter",
    "on_crash",
    "on_engine_restart",
    "at_stop",
    "stall_minutes",
)
_LINES = 200


# -- what there is --------------------------------------------------------------------------
async def strategy_add(owned: Owned, data: dict[str, Any]) -> Result:
    """Take in a program."""
    view = await owned.host.add(Path(data["path"]), data["name"], link=data["link"])
    name = view.hosted.name
    return Result(
        f"{name} is here ({view.hosted.folder}). Start it in the sandbox: "
        f"openalgo-desktop strategy start {name!r} --mode sandbox"
    )


async def strategy_samples(owned: Owned, data: dict[str, Any]) -> Result:
    """Programs that come with us."""
    from openalgo_desktop.automation.host.catalog.samples import samples

    found = await asyncio.to_thread(samples)
    return Result(rows=[{"add": f"sample:{row.name}", "what": row.what} for row in found])


async def strategy_list(owned: Owned, data: dict[str, Any]) -> Result:
    """All of them, one line each."""
    rows = [
        {
            "name": view.hosted.name,
            "state": view.state.value,
            "mode": _mode(view),
            "live": "promoted" if view.promoted else "no",
            "cpu": "" if view.cpu_percent is None else f"{view.cpu_percent:.0f} %",
            "memory": "" if view.memory_mb is None else f"{view.memory_mb:.0f} MB",
            "schedule": schedule_text(view.hosted.hours),
            "reason": view.reason,
        }
        for view in owned.host.all()
    ]
    return Result("" if rows else "There is no program: openalgo-desktop strategy add PATH", rows)


def _mode(view: HostedView) -> str:
    return view.mode.value if view.mode is not None and view.state.is_up else ""


def schedule_text(hours: Hours) -> str:
    """In a few words."""
    if not hours.enabled:
        return "off"
    if hours.all_day:
        return f"around the clock, {hours.mode.value}"
    windows = ", ".join("-".join(pair) for pair in hours.windows)
    only = f" on expiries of {hours.expiry_only}" if hours.expiry_only else ""
    return f"{' '.join(hours.days)} {windows}{only}, {hours.mode.value}"


async def strategy_show(owned: Owned, data: dict[str, Any]) -> Result:
    """One with all that is set."""
    view = owned.host.get(data["name"])
    facts = _facts(view)
    rows = [{"what": name, "is": value} for name, value in facts.items() if value != ""]
    return Result("\n".join(view.last_lines), rows)


def _facts(view: HostedView) -> dict[str, str]:
    row: Hosted = view.hosted
    facts = {
        "name": row.name,
        "id": row.strategy_id,
        "files": f"{row.folder}{' (linked)' if row.linked else ''}",
        "entry": row.entry,
        "state": view.state.value + (f" ({view.paused.value})" if view.paused else ""),
        "reason": view.reason,
        "mode": _mode(view),
        "account": view.account_id if view.state.is_up else "",
        "process": str(view.pid or ""),
        "run": view.run_id,
        "since": api_timestamp(view.started_at) if view.started_at and view.pid else "",
        "edited since": "yes; restart to apply" if view.changed else "",
        "live": "promoted" if view.promoted else "sandbox only",
        "quota broken": view.breached,
        "schedule": schedule_text(row.hours),
        "next start": api_timestamp(view.next_start) if view.next_start else "",
        "exchange": row.exchange,
        "on_crash": row.on_crash.value,
        "on_engine_restart": row.on_engine_restart.value,
        "at_stop": row.at_stop.value,
        "stall_minutes": str(row.stall_minutes),
    }
    facts |= {f"quotas.{k}": str(v) for k, v in msgspec.to_builtins(row.quotas).items()}
    facts |= {
        f"parameters.{one.name}": row.parameters.get(one.name, one.default) or "(not set)"
        for one in row.declared
    }
    return facts


# -- running --------------------------------------------------------------------------------
def _said(view: HostedView) -> Result:
    name, reason = view.hosted.name, f" {view.reason}" if view.reason else ""
    what = f"{view.state.value} in {_mode(view)} mode" if _mode(view) else view.state.value
    return Result(f"{name}: {what}.{reason}", failed=view.state is HostedState.ERROR)


async def strategy_start(owned: Owned, data: dict[str, Any]) -> Result:
    """Start one."""
    return _said(await owned.host.start(data["name"], Mode(data["mode"]), WHO))


async def strategy_stop(owned: Owned, data: dict[str, Any]) -> Result:
    """Stop one."""
    if data["square_off"] and data["leave"]:
        raise ConfigError("square_off: give it or leave, not both.")
    wish = data["square_off"] if data["square_off"] or data["leave"] else None
    return _said(await owned.host.stop(data["name"], WHO, square_off=wish))


async def strategy_restart(owned: Owned, data: dict[str, Any]) -> Result:
    """Apply what was edited."""
    return _said(await owned.host.restart(data["name"], WHO))


async def strategy_remove(owned: Owned, data: dict[str, Any]) -> Result:
    """Forget one."""
    row = owned.host.get(data["name"]).hosted
    await owned.host.remove(row.strategy_id, WHO)
    kept = f" Its files stay in {row.folder}." if row.linked else ""
    return Result(f"{row.name} is removed.{kept}")


# -- logs -----------------------------------------------------------------------------------
def _line(entry: LogEntry) -> str:
    mark = {"err": "! ", "note": "# "}.get(entry.stream, "  ")
    return f"{from_epoch(entry.at):%H:%M:%S} {mark}{entry.text}"


async def strategy_logs(owned: Owned, data: dict[str, Any]) -> Result:
    """What it printed."""
    view = owned.host.get(data["name"])
    strategy_id, run_id = view.hosted.strategy_id, data["run"] or view.run_id
    if not run_id:
        return Result(f"{view.hosted.name} has never run.")
    count = data["lines"] or _LINES
    logs = owned.host.logs
    if data["search"]:
        found = await logs.search(strategy_id, data["search"], run_id=data["run"], limit=count)
        return Result("\n".join(f"{run} {_line(entry)}" for run, entry in found) or "Not found.")
    if data["follow"]:
        return Result(next=owned.host.followers.begin(strategy_id, run_id, count))
    return Result("\n".join(map(_line, await logs.last(strategy_id, run_id, count))))


async def strategy_tail(owned: Owned, data: dict[str, Any]) -> Result:
    """More of a log that is followed."""
    lines, more = await owned.host.followers.more(data["token"])
    return Result("\n".join(map(_line, lines)), next=data["token"] if more else "")


async def strategy_runs(owned: Owned, data: dict[str, Any]) -> Result:
    """Its runs, newest first."""
    strategy_id = owned.host.get(data["name"]).hosted.strategy_id
    rows = [
        {
            "run": row.run_id,
            "since": api_timestamp(from_epoch(row.started)),
            "log": f"{row.size:,} bytes",
            "ended": "" if row.ended is None else f"{row.ended.why}: {row.ended.reason}",
        }
        for row in await owned.host.logs.runs(strategy_id)
    ]
    return Result("" if rows else "It has never run.", rows)


# -- promotion ------------------------------------------------------------------------------
def record_row(record: TradeRecord) -> dict[str, Any]:
    """A record as a line; what is unknown says so."""

    def money(value: object) -> str:
        return "unknown" if value is None else f"{value:,.2f}"

    return {
        "days": record.days,
        "orders": record.orders,
        "trades": record.trades,
        "net P&L": money(record.net_pnl),
        "drawdown": money(record.drawdown),
        "charges": money(record.charges),
        "from": record.first_day,
        "to": record.last_day,
    }


async def strategy_record(owned: Owned, data: dict[str, Any]) -> Result:
    """What it did in the sandbox."""
    seen = await owned.host.promotion(data["name"])
    if seen.promoted:
        text = f"{seen.name} is promoted as it is now."
    elif seen.again:
        text = f"{seen.name} was promoted before; its files are others now."
    else:
        text = f"{seen.name} has never been promoted."
    return Result(text, [record_row(seen.record)], next=seen.digest)


async def strategy_promote(owned: Owned, data: dict[str, Any]) -> Result:
    """Let it trade live."""
    digest = data["digest"] or (await owned.host.promotion(data["name"])).digest
    view = await owned.host.promote(data["name"], digest, WHO)
    return Result(f"{view.hosted.name} may trade live, as it is now (content {digest[:12]}).")


async def strategy_demote(owned: Owned, data: dict[str, Any]) -> Result:
    """Back to the sandbox."""
    view = await owned.host.demote(data["name"], WHO)
    return Result(f"{view.hosted.name} may only trade in the sandbox.")


# -- settings of a program ------------------------------------------------------------------
async def strategy_schedule(owned: Owned, data: dict[str, Any]) -> Result:
    """When it runs by itself."""
    view = owned.host.get(data["name"])
    hours = _hours(view.hosted.hours, data)
    if hours != view.hosted.hours:
        view = await owned.host.change(view.hosted.strategy_id, hours=hours)
    following = f" Next start: {api_timestamp(view.next_start)}." if view.next_start else ""
    return Result(f"{view.hosted.name}: {schedule_text(view.hosted.hours)}.{following}")


def _hours(hours: Hours, data: dict[str, Any]) -> Hours:
    from openalgo_desktop.automation.host.catalog.manifest import window_of

    if data["on"] and data["off"]:
        raise ConfigError("on: give on or off, not both.")
    fields: dict[str, Any] = {}
    if data["days"]:
        fields |= {"days": tuple(data["days"].replace(",", " ").split()), "all_day": False}
    if data["window"]:
        fields |= {"windows": tuple(map(window_of, data["window"])), "all_day": False}
    if data["all_day"]:
        fields["all_day"] = True
    if data["expiry_of"]:
        fields["expiry_only"] = data["expiry_of"]
    if data["any_day"]:
        fields["expiry_only"] = ""
    if data["mode"]:
        fields["mode"] = Mode(data["mode"])
    if data["at_end"]:
        fields["at_end"] = _ENDS[data["at_end"]]
    if data["late"]:
        if not is_digits(data["late"]):
            raise ConfigError(f"late: {data['late']!r} must be minutes, such as 30.")
        fields["late_minutes"] = int(data["late"])
    if data["on"] or data["off"]:
        fields["enabled"] = bool(data["on"])
    return msgspec.structs.replace(hours, **fields)


async def strategy_set(owned: Owned, data: dict[str, Any]) -> Result:
    """Change one value."""
    row = owned.host.get(data["name"]).hosted
    key, value = data["key"], data["value"]
    kind, _, name = key.partition(".")
    if kind == "parameters":
        await owned.host.set_parameter(row.strategy_id, name, value)
    else:
        await owned.host.change(row.strategy_id, **_changed(row, key, value))
    later = " It counts from the next start on." if owned.host.get(row.name).state.is_up else ""
    return Result(f"{row.name}: {key} = {value or '(default)'}.{later}")


def _changed(row: Hosted, key: str, value: str) -> dict[str, Any]:
    kind, _, name = key.partition(".")
    names = [*_FIELDS, *(f"quotas.{field}" for field in Quotas.__struct_fields__)]
    if key not in names:
        raise ConfigError(f"key: {key!r} is none of {', '.join(names)}.{did_you_mean(key, names)}")
    if kind == "quotas":
        given = {name: value} if value else {}
        rest = {k: v for k, v in msgspec.to_builtins(row.quotas).items() if k != name}
        return {"quotas": _converted(rest | given, Quotas, key)}
    given = {key: value} if value or key == "interpreter" else {}
    rest = {k: v for k, v in msgspec.to_builtins(row).items() if k not in _FIELDS}
    made: Hosted = _converted(rest | given, Hosted, key)
    return {key: msgspec.structs.asdict(made)[key]}


def _converted(values: dict[str, Any], kind: Any, key: str) -> Any:
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{key}: {error}.") from None
