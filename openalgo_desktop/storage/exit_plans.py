"""Exit plans and local triggers (:class:`PlanStore`): what is watched survives the program."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from openalgo_desktop.core.exits import AnyPlan
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.tables import OPEN_PLANS, exit_plans, to_micros, upsert

log = logging.getLogger(__name__)

_TABLE = exit_plans
_KEYS = ("plan_id",)


class PlanRepository:
    """One row for each plan; rows of ended plans stay for the record."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def save(self, plan: AnyPlan) -> asyncio.Future[Any]:
        """Store a plan as it is now; done when it is durable."""
        row = _row(plan)
        return self._db.writing(lambda connection: upsert(connection, _TABLE, _KEYS, [row]))

    async def unended(self) -> list[AnyPlan]:
        """Plans that are neither done nor cancelled, oldest first."""
        query = select(_TABLE.c.data).where(OPEN_PLANS).order_by(_TABLE.c.created_at)
        return await self._read(query)

    async def recent(self, limit: int) -> list[AnyPlan]:
        """The plans that changed last, newest first."""
        query = select(_TABLE.c.data).order_by(_TABLE.c.updated_at.desc()).limit(limit)
        return await self._read(query)

    async def _read(self, query: Any) -> list[AnyPlan]:
        def work(connection: Connection) -> list[AnyPlan]:
            found = []
            for text in connection.scalars(query):
                try:
                    found.append(msgspec.json.decode(text, type=AnyPlan))
                except msgspec.DecodeError as error:  # of another version: it costs that row
                    log.error("an exit plan cannot be read and is not watched: %s", error)
            return found

        return await self._db.read(work)


def _row(plan: AnyPlan) -> dict[str, Any]:
    return {
        "plan_id": plan.plan_id,
        "mode": plan.mode.value,
        "account_id": plan.account_id,
        "state": plan.state.value,
        "data": msgspec.json.encode(plan).decode(),
        "created_at": to_micros(plan.created_at),
        "updated_at": to_micros(plan.updated_at),
    }
