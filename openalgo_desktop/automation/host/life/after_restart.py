"""What becomes of a program that was to run when the engine ended. Pure."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from openalgo_desktop.automation.host.life.kept import Kept
from openalgo_desktop.automation.host.ports import Ended
from openalgo_desktop.core.clock import age_text
from openalgo_desktop.core.strategies.hosted import (
    Hosted,
    HostedState,
    OnCrash,
    OnEngineRestart,
)
from openalgo_desktop.core.strategies.hours import Verdict

#: A program that was started by hand is started again when the engine was away for at most so
#: long; seconds. Later nobody may remember what it would trade on.
RESUME = 1800.0


class Again(StrEnum):
    """What is done."""

    ADOPT = "adopt"
    START = "start"
    REST = "rest"


class Decision(msgspec.Struct, frozen=True):
    """With the state and the reason of one that does not go on."""

    what: Again
    state: HostedState = HostedState.STOPPED
    reason: str = ""


def decide(
    row: Hosted, kept: Kept, ended: Ended | None, verdict: Verdict, *, alive: bool, away: float
) -> Decision:
    """``alive``: its process is proven and can reach us. ``ended`` is how its last run ended, if
    somebody wrote that. ``away`` are the seconds without an engine."""
    wanted = kept.wanted
    assert wanted is not None, "only of what was to run"
    if row.on_engine_restart is OnEngineRestart.STOP:
        return Decision(Again.REST, reason="The engine ended, and it is not to be started again.")
    if wanted.window and not verdict.runs:
        return Decision(Again.REST, HostedState.PAUSED, "Its window ended while no engine ran.")
    if alive and row.on_engine_restart is OnEngineRestart.ADOPT:
        return Decision(Again.ADOPT)
    if ended is not None and ended.why == "exited":
        if ended.code == 0:
            return Decision(Again.REST, reason="It ended by itself while no engine ran.")
        if row.on_crash is OnCrash.NEVER:
            return Decision(Again.REST, reason=f"Crashed while no engine ran: {ended.reason}")
    if not wanted.window and away > RESUME:
        return Decision(
            Again.REST,
            HostedState.LOST,
            f"No engine ran for {age_text(away)}; start it by hand if you want it to go on.",
        )
    return Decision(Again.START)
