"""Schemas of option endpoints."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import Schema, fields, post_load
from marshmallow.validate import Length, Range, Regexp

from openalgo_desktop.local_api.schemas import base
from openalgo_desktop.local_api.schemas.base import KeySchema, StrategySchema

_OFFSET = Regexp(
    r"^(ATM|(ITM|OTM)([1-9]|[1-4][0-9]|50))$",
    flags=re.IGNORECASE,
    error="Offset must be ATM, ITM1-ITM50, or OTM1-OTM50",
)
_PERCENT = Range(min=0, max=100)


def _strike_step() -> base.Whole:
    return base.Whole(load_default=None, allow_none=True, validate=Range(min=1))


class _Tidy:
    @post_load
    def _tidy(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return base.tidy_order(data)


class OptionSymbol(_Tidy, KeySchema):
    strategy = base.Text(allow_none=True)
    underlying = base.text()
    exchange = base.exchange()
    expiry_date = base.Text(load_default=None, allow_none=True)
    strike_int = _strike_step()
    offset = base.text(validate=_OFFSET)
    option_type = base.choice(base.OPTION_TYPES)


class _LegFields(Schema):
    offset = base.text()
    option_type = base.choice(base.OPTION_TYPES)
    action = base.choice(base.ACTIONS)
    quantity = base.count("Quantity must be a positive integer.", required=True)
    splitsize = base.Whole(
        load_default=0,
        allow_none=True,
        validate=Range(min=0, error="Split size must be a non-negative integer."),
    )
    pricetype = base.choice(base.PRICE_TYPES, load_default="MARKET")
    product = base.choice(base.OPTION_PRODUCTS, load_default="MIS")
    price = base.price()
    trigger_price = base.trigger_price()
    disclosed_quantity = base.disclosed()


class OptionsOrder(_Tidy, _LegFields, StrategySchema):
    underlying = base.text()
    exchange = base.exchange()
    expiry_date = base.Text(load_default=None, allow_none=True)
    strike_int = _strike_step()


class Leg(_Tidy, _LegFields):
    expiry_date = base.Text(load_default=None, allow_none=True)


class OptionsMultiOrder(StrategySchema):
    underlying = base.text()
    exchange = base.exchange()
    expiry_date = base.Text(load_default=None, allow_none=True)
    strike_int = _strike_step()
    legs = fields.List(
        fields.Nested(Leg),
        required=True,
        validate=Length(min=1, max=20, error="Legs must contain 1 to 20 items."),
    )


class OptionChain(KeySchema):
    underlying = base.text()
    exchange = base.exchange()
    expiry_date = base.text()
    strike_count = base.Whole(load_default=None, allow_none=True, validate=Range(min=1, max=100))
    with_greeks = fields.Bool(load_default=False)
    interest_rate = base.Number(load_default=None, allow_none=True, validate=_PERCENT)


class SyntheticFuture(KeySchema):
    underlying = base.text()
    exchange = base.exchange()
    expiry_date = base.text()


class OptionGreeks(KeySchema):
    symbol = base.text()
    exchange = base.exchange(base.DERIVATIVES)
    interest_rate = base.Number(load_default=None, allow_none=True, validate=_PERCENT)
    forward_price = base.Number(load_default=None, allow_none=True, validate=Range(min=0))
    underlying_symbol = base.Text(load_default=None, allow_none=True)
    underlying_exchange = base.Text(load_default=None, allow_none=True)
    expiry_time = base.Text(load_default=None, allow_none=True)


class GreeksItem(Schema):
    symbol = base.text()
    exchange = base.exchange(base.DERIVATIVES)
    underlying_symbol = base.Text(load_default=None, allow_none=True)
    underlying_exchange = base.Text(load_default=None, allow_none=True)


class MultiGreeks(KeySchema):
    symbols = fields.List(fields.Nested(GreeksItem), required=True, validate=Length(min=1, max=50))
    interest_rate = base.Number(load_default=None, allow_none=True, validate=_PERCENT)
    expiry_time = base.Text(load_default=None, allow_none=True)
