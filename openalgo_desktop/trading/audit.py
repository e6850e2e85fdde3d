"""Writes what happens besides orders into the audit trail: modes, kill switch, approvals,
settings, accounts, keys, orders refused before they reached the journal. (The other orders are in
the journal, which the trail shows too.)"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from openalgo_desktop.core.acting import actor
from openalgo_desktop.core.api_rows import ApiKey
from openalgo_desktop.core.clock import Clock
from openalgo_desktop.core.enums import ApprovalStatus
from openalgo_desktop.core.events import (
    AccountChanged,
    ApprovalChanged,
    BooksDiffer,
    Bus,
    ExitPlanChanged,
    KillSwitchChanged,
    LockChanged,
    ModeChanged,
    OrderCorrected,
    OrderRefused,
    SettingChanged,
)
from openalgo_desktop.core.exits import AnyPlan, ExitPlan, ResultExit, Trigger
from openalgo_desktop.core.reports import AuditEntry

#: Settings that change by themselves or by a click without weight.
_QUIET = ("ui.",)


class Trail(Protocol):
    """Where entries go."""

    def record(self, entry: AuditEntry) -> None: ...


class AuditRecorder:
    """Listens on the bus until :meth:`close`."""

    def __init__(self, clock: Clock, bus: Bus, trail: Trail) -> None:
        self._clock = clock
        self._trail = trail
        self._plans: dict[str, str] = {}  # what was told last of plans that are not over
        self._stops: list[Callable[[], None]] = [
            bus.subscribe(ModeChanged, self._mode),
            bus.subscribe(KillSwitchChanged, self._kill),
            bus.subscribe(ApprovalChanged, self._approval),
            bus.subscribe(OrderRefused, self._refused),
            bus.subscribe(OrderCorrected, self._corrected),
            bus.subscribe(SettingChanged, self._setting),
            bus.subscribe(AccountChanged, self._account),
            bus.subscribe(BooksDiffer, self._differ),
            bus.subscribe(LockChanged, self._lock),
            bus.subscribe(ExitPlanChanged, self._plan),
        ]

    def close(self) -> None:
        """Listen no more."""
        for stop in self._stops:
            stop()
        self._stops.clear()

    def note(self, who: str, what: str, subject: str = "", **rest: Any) -> None:
        """An entry of the present moment."""
        self._trail.record(AuditEntry(self._clock.now(), who, what, subject, **rest))

    def key_revoked(self, key: ApiKey) -> None:
        """An API key is worthless from now on."""
        self.note(actor.get(), "key revoked", key.name, detail=f"id {key.key_id}")

    def key_created(self, key: ApiKey) -> None:
        """A new API key works from now on."""
        detail = f"id {key.key_id}, {key.rights.value}, account {key.account_id or 'any'}"
        if key.bound:
            mode = key.mode.value if key.mode is not None else "as the switch"
            detail += f", strategy {key.strategy or 'any'}, mode {mode}"
        self.note(actor.get(), "key created", key.name, detail=detail)

    # -- events -----------------------------------------------------------------------------
    def _mode(self, event: ModeChanged) -> None:
        self.note(event.by, "mode", event.mode.value, mode=event.mode.value)

    def _kill(self, event: KillSwitchChanged) -> None:
        if event.report is not None:
            report = event.report
            self.note(
                event.by,
                "kill switch report",
                detail=report.text,
                answer="; ".join(report.errors),
                mode=report.mode.value,
            )
        else:
            self.note(event.by, "kill switch on" if event.tripped else "kill switch reset")

    def _approval(self, event: ApprovalChanged) -> None:
        row = event.approval
        waiting = row.status is ApprovalStatus.PENDING
        self.note(
            row.source if waiting else row.decided_by,
            f"approval {row.status.value}",
            f"{row.kind} {row.approval_id}",
            detail=msgspec.json.encode(row.payload).decode(),
            answer=row.result or row.reason,
        )

    def _refused(self, event: OrderRefused) -> None:
        self.note(
            event.source,
            f"order {event.kind}",
            detail=msgspec.json.encode(event.request).decode(),
            answer=f"refused {event.reason}",
            account_id=event.account_id,
            mode=event.mode.value,
        )

    def _corrected(self, event: OrderCorrected) -> None:
        self.note(
            event.source,
            "order corrected",
            event.order_id,
            detail=f"tag {event.tag}",
            answer=event.message,
            account_id=event.account_id,
            mode=event.mode.value,
        )

    def _setting(self, event: SettingChanged) -> None:
        if not event.key.startswith(_QUIET):
            self.note(actor.get(), "setting", event.key, detail=str(event.value))

    def _account(self, event: AccountChanged) -> None:
        status = event.status
        self.note(
            "program",
            "account",
            status.state.value,
            detail=status.message,
            account_id=status.account_id,
        )

    def _differ(self, event: BooksDiffer) -> None:
        self.note(
            "program",
            "books differ" if event.differences else "books agree",
            str(len(event.differences)),
            detail="; ".join(one.text for one in event.differences),
            account_id=event.account_id,
            mode=event.mode.value,
        )

    def _lock(self, event: LockChanged) -> None:
        self.note("window", "locked" if event.locked else "unlocked")

    def _plan(self, event: ExitPlanChanged) -> None:
        """Made, changed by hand, reached, ended; not each step of a trailing stop."""
        plan = event.plan
        wanted = wanted_of(plan)
        told = f"{plan.state.value} {plan.message} {wanted}"
        if self._plans.get(plan.plan_id) == told:
            return
        self._plans[plan.plan_id] = told
        if not plan.state.is_open:
            del self._plans[plan.plan_id]
        self.note(
            plan.source,
            f"exit plan {plan.state.value}",
            f"{plan.symbol or plan.label or 'account'} {plan.plan_id}",
            detail=wanted,
            answer=plan.message,
            account_id=plan.account_id,
            mode=plan.mode.value,
        )


def wanted_of(plan: AnyPlan) -> str:
    """What a plan is to do, as JSON."""
    match plan:
        case ExitPlan():
            wanted: object = plan.spec
        case Trigger():
            wanted = plan.legs
        case ResultExit():
            wanted = {"loss": plan.loss, "profit": plan.profit, "trail": plan.trail}
    return msgspec.json.encode(wanted).decode()
