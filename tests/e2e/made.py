"""Made strategies for a program that is not started yet: what the window would have stored."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from openalgo_desktop.core.strategies.model import (
    BatchLeg,
    Definition,
    Distance,
    LegRules,
    Segment,
    SignalLeg,
)
from openalgo_desktop.core.strategies.words import StrategyKind
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.strategies import StrategyRepository

MADE_AT = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
STRADDLE = Definition(
    name="Morning straddle",
    kind=StrategyKind.BATCH,
    legs=tuple(
        BatchLeg(
            leg_id=number,
            segment=Segment.OPTIONS,
            position="S",
            option_type=kind,
            rules=LegRules(sl=Distance(Decimal(40))),
        )
        for number, kind in ((1, "CE"), (2, "PE"))
    ),
    underlying="NIFTY",
    underlying_exchange="NSE_INDEX",
    overall_sl=Decimal(5000),
)
FLIP = Definition(
    name="Flip",
    kind=StrategyKind.SIGNAL,
    legs=(SignalLeg(leg_id=1, symbol="SBIN", exchange="NSE", quantity=10),),
)
#: Addresses of the strategies that :func:`plant` makes, by number.
TOKENS = {number: f"oaws_{'planted' * 6}{number}" for number in range(1, 4)}


def plant(data_dir: Path, definitions: Sequence[Definition] = (STRADDLE, FLIP)) -> None:
    """Store them, numbered from 1, in a data folder whose program does not run."""
    data_dir.mkdir(parents=True, exist_ok=True)
    asyncio.run(_plant(data_dir / "openalgo.db", definitions))


async def _plant(path: Path, definitions: Sequence[Definition]) -> None:
    database = Database(f"sqlite:///{path}")
    await database.start()
    try:
        store = StrategyRepository(database)
        for definition in definitions:
            made = await store.add(definition, MADE_AT)
            digest = hashlib.sha256(TOKENS[made.strategy_id].encode()).hexdigest()
            await store.token(made.strategy_id, digest, MADE_AT)
    finally:
        await database.stop()
