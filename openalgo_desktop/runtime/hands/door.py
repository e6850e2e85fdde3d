"""The door behind which the operations are: arguments, app lock, audit trail, answer."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from openalgo_desktop.config.operation import Guard, Operation
from openalgo_desktop.config.operations import OPERATIONS, WHO, checked, operation, told
from openalgo_desktop.core.acting import actor
from openalgo_desktop.core.errors import AppError, AuthError, BadCredentials, ConfigError
from openalgo_desktop.core.near import did_you_mean
from openalgo_desktop.core.reports import AuditEntry
from openalgo_desktop.core.secret import Secret
from openalgo_desktop.runtime.hands import (
    access,
    alert_making,
    alerts,
    hooks,
    models,
    orders,
    state,
    strategies,
    telegram,
    watching,
)
from openalgo_desktop.runtime.hands.ports import Owned, Result

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Handler = Callable[[Owned, dict[str, Any]], Awaitable[Result]]


#: Where the functions of operations are.
MODULES = (
    orders, access, alerts, alert_making, hooks, state, strategies, telegram, watching, models,
)  # fmt: skip


def _handler(row: Operation) -> Handler:
    name = f"{row.group}_{row.verb}"
    for module in MODULES:
        if name in vars(module):
            handler: Handler = vars(module)[name]
            return handler
    raise LookupError(name)


#: The function of each operation: ``<group>_<verb>`` of one of the modules.
HANDLERS: Mapping[str, Handler] = {row.name: _handler(row) for row in OPERATIONS}


class OwnerDoor:
    """Runs the operations of one terminal; ``offline`` is one of which only the storage runs."""

    def __init__(self, owned: Owned, *, offline: bool = False) -> None:
        self._owned = owned
        self._offline = offline

    async def run(self, group: str, verb: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to an operation. ``body`` has ``args``, and ``password`` and ``code`` where
        the app lock asks for them. A refusal is an answer too, with its ``http_status``."""
        row = operation(group, verb)
        if row is None:
            names = [known.name for known in OPERATIONS]
            near = did_you_mean(f"{group} {verb}", names)
            return _refused(ConfigError(f"There is no operation {group} {verb}.{near}"))
        token = actor.set(WHO)
        data: dict[str, Any] = {}
        try:
            data = checked(row, body.get("args") or {})
            if self._offline and not row.offline:
                raise ConfigError(f"{row.name} needs the running program.")
            await self._pass_lock(row, body)
            result = await HANDLERS[row.name](self._owned, data)
        except AppError as error:
            self._audit(row, data, f"refused {error.message}")
            return _refused(error)
        except ValueError as error:  # a word that an enumeration does not have
            self._audit(row, data, f"refused {error}")
            return _refused(ConfigError(str(error)))
        finally:
            actor.reset(token)
        self._audit(row, data, "failed" if result.failed else "ok")
        return {"status": "success", **msgspec.to_builtins(result)}

    async def _pass_lock(self, row: Operation, body: Mapping[str, Any]) -> None:
        """What the window would ask: the password while locked, or each time for live mode."""
        lock = self._owned.lock
        asks = row.guard is Guard.PASSWORD or (row.guard is Guard.UNLOCKED and lock.locked)
        if not lock.enabled or not asks:
            return
        password = str(body.get("password") or "")
        if not password:
            raise LockAsks(lock.wants_code)
        await lock.require(Secret(password), str(body.get("code") or ""))

    def _audit(self, row: Operation, data: Mapping[str, Any], answer: str) -> None:
        if not row.changes:
            return
        said = told(row, data)
        # A strategy may be named by its id, and that is its credential.
        detail = _ID.sub("***", msgspec.json.encode(said).decode()) if said else ""
        now = self._owned.clock.now()
        entry = AuditEntry(now, WHO, "command", row.name, detail=detail, answer=answer)
        self._owned.audit.record(entry)


class LockAsks(AuthError):
    """The app lock wants its password, and its one-time code where it has one."""

    http_status = 401

    def __init__(self, wants_code: bool) -> None:
        super().__init__("The app lock asks for its password.")
        self.wants_code = wants_code


def _refused(error: AppError) -> dict[str, Any]:
    answer: dict[str, Any] = {"status": "error", "message": error.message}
    status = error.http_status
    if isinstance(error, LockAsks):
        answer["needs"] = ["password", "code"] if error.wants_code else ["password"]
    if isinstance(error, ConfigError):
        status = 400
    if isinstance(error, BadCredentials):
        status = 401
    return {**answer, "http_status": status}
