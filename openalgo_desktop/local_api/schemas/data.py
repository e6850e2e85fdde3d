"""Schemas of market data, symbol and system endpoints."""

from __future__ import annotations

from marshmallow import Schema, fields
from marshmallow.validate import Length, Range

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
    start_date = base.Day(required=True)
    end_date = base.Day(required=True)
    source = base.choice(("api", "db"), load_default="api")


class Ticker(KeySchema):
    symbol = base.text()
    exchange = base.exchange()
    interval = base.choice(INTERVALS, load_default="D")
    start_date = base.Day(required=True)
    end_date = base.Day(required=True)
    format = base.choice(("json", "txt"), load_default="json")


class Instruments(KeySchema):
    exchange = base.exchange(required=False)
    format = base.choice(("json", "csv"), load_default="json")


class Search(KeySchema):
    query = base.text()
    exchange = base.exchange(required=False)


class Expiry(KeySchema):
    symbol = base.text()
    exchange = base.exchange(base.DERIVATIVES)
    instrumenttype = base.choice(("futures", "options"))


class Holidays(KeySchema):
    year = base.Whole(validate=Range(min=2020, max=2050))


class Timings(KeySchema):
    date = base.text()


class ChartUpdate(KeySchema):
    class Meta(base.Kept):
        pass


class MarginPosition(Schema):
    symbol = base.text(
        validate=Length(min=1, max=50, error="Symbol must be between 1 and 50 characters.")
    )
    exchange = base.exchange()
    action = base.choice(base.ACTIONS)
    product = base.choice(base.PRODUCTS)
    pricetype = base.choice(base.PRICE_TYPES)
    quantity = base.text()
    price = base.Text(load_default="0")
    trigger_price = base.Text(load_default="0")


class Margin(Schema):
    apikey = fields.Str(
        required=True,
        validate=Length(min=1, max=256, error="API key must be between 1 and 256 characters."),
    )
    positions = fields.List(
        fields.Nested(MarginPosition),
        required=True,
        validate=Length(min=1, max=50, error="Positions must contain 1 to 50 items."),
    )


class AnalyzerToggle(KeySchema):
    mode = fields.Bool(required=True)
