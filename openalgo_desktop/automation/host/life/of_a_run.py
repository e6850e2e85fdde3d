"""What is said and asked of a program's run. Pure, but for a look whether a file is there."""

from __future__ import annotations

import secrets
from datetime import datetime
from pathlib import Path

from openalgo_desktop.automation.host.catalog import content, parameters
from openalgo_desktop.automation.host.ports import Ended, Limits, Program
from openalgo_desktop.core.clock import IST
from openalgo_desktop.core.strategies.hosted import Hosted


def why(ended: Ended) -> str:
    """The reason of a crash with the last thing that was printed: mostly the error itself."""
    reason = ended.reason or f"It ended with code {ended.code}."
    said = next((line for line in reversed(ended.last_lines) if line.strip() != reason), "")
    return f"{reason} ({said.strip()[:200]})" if said.strip() else reason


def program_of(row: Hosted) -> Program:
    """The program as the process side takes it."""
    folder = Path(row.folder)
    wants = folder / content.REQUIREMENTS
    return Program(
        strategy_id=row.strategy_id,
        name=row.name,
        folder=folder,
        entry=folder / row.entry,
        requirements=wants if not row.single and wants.is_file() else None,
        exchange=row.exchange,
        interpreter=Path(row.interpreter) if row.interpreter else None,
        variables=parameters.variables(row.declared, row.parameters),
    )


def limits_of(row: Hosted) -> Limits:
    """Its limits as the process side takes them."""
    quotas = row.quotas
    return Limits(
        memory_mb=quotas.memory_mb, cpu_percent=quotas.cpu_percent, processes=quotas.processes
    )


def new_run_id(now: datetime) -> str:
    """Sorts by time, and is never used twice."""
    return f"{now.astimezone(IST):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
