"""Schemas of the strategy endpoints."""

from __future__ import annotations

from typing import Any

from marshmallow.validate import Length, Range

from openalgo_desktop.core.strategies.words import EventKind, RunStatus, Severity
from openalgo_desktop.local_api.schemas import base
from openalgo_desktop.local_api.schemas.base import KeySchema

#: Exactly these; nothing near them is read as one of them.
MODES = ("live", "sandbox")


def _id(**options: Any) -> base.Whole:
    return base.Whole(validate=Range(min=1), **options)


def _limit(most: int, default: int) -> base.Whole:
    return base.Whole(load_default=default, validate=Range(min=1, max=most))


class StrategyList(KeySchema):
    status = base.choice([row.value for row in RunStatus], load_default="")
    q = base.Text(load_default="", validate=Length(max=100))


class OneStrategy(KeySchema):
    strategy_id = _id(required=True)


class StartStrategy(OneStrategy):
    mode = base.choice(MODES)


class OneLeg(OneStrategy):
    leg_id = _id(required=True)


class StrategyRuns(OneStrategy):
    limit = _limit(500, 100)


class StrategyOrders(OneStrategy):
    run_id = _id(load_default=None)


class StrategyEvents(OneStrategy):
    run_id = _id(load_default=None)
    kind = base.choice([row.value for row in EventKind], load_default="")
    severity = base.choice([row.value for row in Severity], load_default="")
    limit = _limit(1000, 500)
