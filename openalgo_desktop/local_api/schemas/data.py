"""Schemas of market data, symbol and system endpoints."""

from __future__ import annotations

from marshmallow import Schema, fields
from marshmallow.validate import Length

from openalgo_desktop.core.enums import Interval
from openalgo_desktop.local_api.schemas import base
from openalgo_desktop.local_api.schemas.base import KeySchema

INTERVALS = tuple(i.value for i in Interval)


class Key(KeySchema):
    pass


class Symbol(KeySchema):
    symbol = base.text()
    exchange = base.exchange()


class SymbolRef(Schema):
    symbol = base.text()
    exchange = base.exchange()


class MultiQuotes(KeySchema):
    symbols = fields.List(fields.Nested(SymbolRef), required=True, validate=Length(min=1))


class History(KeySchema):
    symbol = base.text()
    exchange = base.exchange()
    interval = base.choice(INTERVALS)
    start_date = fields.Date(required=True, format="%Y-%m-%d")
    end_date = fields.Date(required=True, format="%Y-%m-%d")
    source = base.choice(("api", "db"), load_default="api")


class Search(KeySchema):
    query = base.text()
    exchange = base.exchange(required=False)


class Expiry(KeySchema):
    symbol = base.text()
    exchange = base.exchange(base.DERIVATIVES)
    instrumenttype = base.choice(("futures", "options"))


class AnalyzerToggle(KeySchema):
    mode = fields.Bool(required=True)
