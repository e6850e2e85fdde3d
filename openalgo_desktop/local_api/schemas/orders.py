"""Schemas of order endpoints. The order of fields is the order of errors."""

from __future__ import annotations

from marshmallow import Schema, fields

from openalgo_desktop.local_api.schemas import base
from openalgo_desktop.local_api.schemas.base import StrategySchema, WholeQuantity


class PlaceOrder(WholeQuantity, StrategySchema):
    exchange = base.exchange()
    symbol = base.text()
    action = base.choice(base.ACTIONS)
    quantity = base.quantity()
    pricetype = base.choice(base.PRICE_TYPES, load_default="MARKET")
    product = base.choice(base.PRODUCTS, load_default="MIS")
    price = base.price()
    trigger_price = base.trigger_price()
    disclosed_quantity = base.disclosed()
    underlying_ltp = base.Number(load_default=None, allow_none=True)


class SmartOrder(WholeQuantity, StrategySchema):
    exchange = base.exchange()
    symbol = base.text()
    action = base.choice(base.ACTIONS)
    quantity = base.amount("Quantity must be a non-negative number.", required=True)
    position_size = base.Number(required=True)
    pricetype = base.choice(base.PRICE_TYPES, load_default="MARKET")
    product = base.choice(base.PRODUCTS, load_default="MIS")
    price = base.price()
    trigger_price = base.trigger_price()
    disclosed_quantity = base.disclosed()


class ModifyOrder(WholeQuantity, StrategySchema):
    exchange = base.exchange()
    symbol = base.text()
    orderid = base.text()
    action = base.choice(base.ACTIONS)
    product = base.choice(base.PRODUCTS)
    pricetype = base.choice(base.PRICE_TYPES)
    price = base.price(required=True)
    quantity = base.quantity()
    disclosed_quantity = base.disclosed(required=True)
    trigger_price = base.trigger_price(required=True)


class OneOrder(StrategySchema):
    orderid = base.text()


class Strategy(StrategySchema):
    pass


class OpenPosition(StrategySchema):
    symbol = base.text()
    exchange = base.text()
    product = base.choice(base.PRODUCTS)


class BasketItem(WholeQuantity, Schema):
    exchange = base.exchange()
    symbol = base.text()
    action = base.choice(base.ACTIONS)
    quantity = base.quantity()
    pricetype = base.choice(base.PRICE_TYPES, load_default="MARKET")
    product = base.choice(base.PRODUCTS, load_default="MIS")
    price = base.price()
    trigger_price = base.trigger_price()
    disclosed_quantity = base.disclosed()


class Basket(StrategySchema):
    orders = fields.List(fields.Nested(BasketItem), required=True)


class Split(WholeQuantity, StrategySchema):
    exchange = base.exchange()
    symbol = base.text()
    action = base.choice(base.ACTIONS)
    quantity = base.quantity("Total quantity must be a positive number.")
    splitsize = base.count("Split size must be a positive integer.", required=True)
    pricetype = base.choice(base.PRICE_TYPES, load_default="MARKET")
    product = base.choice(base.PRODUCTS, load_default="MIS")
    price = base.price()
    trigger_price = base.trigger_price()
    disclosed_quantity = base.disclosed()
