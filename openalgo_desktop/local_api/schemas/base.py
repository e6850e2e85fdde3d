"""Fields that all request schemas share. Their error texts are part of the API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from marshmallow import (
    EXCLUDE,
    INCLUDE,
    Schema,
    ValidationError,
    fields,
    post_load,
    validates_schema,
)
from marshmallow.validate import Length, OneOf, Range

from openalgo_desktop.core.enums import Exchange, PriceType, Product

EXCHANGES = tuple(e.value for e in Exchange)
DERIVATIVES = ("NFO", "BFO", "MCX", "CDS", "NCO", "BCD", "NCDEX", "CRYPTO")
ACTIONS = ("BUY", "SELL", "buy", "sell")
PRICE_TYPES = tuple(p.value for p in PriceType)
PRODUCTS = tuple(p.value for p in Product)
OPTION_PRODUCTS = ("MIS", "NRML")
OPTION_TYPES = ("CE", "PE", "ce", "pe")

KEY_LENGTH = Length(min=1, max=256)


def text(**options: Any) -> fields.Str:
    """A required text."""
    return fields.Str(required=True, **options)


def choice(values: Sequence[str], **options: Any) -> fields.Str:
    """A text out of ``values``; required unless a default is given."""
    options.setdefault("required", "load_default" not in options)
    return fields.Str(validate=OneOf(values), **options)


def exchange(values: Sequence[str] = EXCHANGES, **options: Any) -> fields.Str:
    """An exchange out of the list."""
    return choice(values, **options)


def amount(message: str, *, positive: bool = False, **options: Any) -> fields.Float:
    """A number, zero or more (more than zero when ``positive``)."""
    return fields.Float(validate=Range(min=0, min_inclusive=not positive, error=message), **options)


def quantity(message: str = "Quantity must be a positive number.", **options: Any) -> fields.Float:
    """A required quantity above zero."""
    return amount(message, positive=True, required=True, **options)


def price(**options: Any) -> fields.Float:
    """A price; 0 when absent."""
    if not options.get("required"):
        options.setdefault("load_default", 0.0)
    return amount("Price must be a non-negative number.", **options)


def trigger_price(**options: Any) -> fields.Float:
    """A trigger price; 0 when absent."""
    if not options.get("required"):
        options.setdefault("load_default", 0.0)
    return amount("Trigger price must be a non-negative number.", **options)


def disclosed(**options: Any) -> fields.Int:
    """A disclosed quantity; 0 when absent."""
    if not options.get("required"):
        options.setdefault("load_default", 0)
    return fields.Int(
        validate=Range(min=0, error="Disclosed quantity must be a non-negative integer."), **options
    )


def count(message: str, **options: Any) -> fields.Int:
    """A whole number of at least 1."""
    return fields.Int(validate=Range(min=1, error=message), **options)


def whole_quantity(data: dict[str, Any]) -> None:
    """Refuse a fractional quantity outside CRYPTO."""
    value = data.get("quantity")
    if value is not None and data.get("exchange") != "CRYPTO" and value != int(value):
        raise ValidationError(
            f"Fractional quantity ({value}) is not allowed for non-crypto exchanges.", "quantity"
        )


class KeySchema(Schema):
    """Every request carries the key; unknown fields are refused."""

    apikey = text(validate=KEY_LENGTH)


class StrategySchema(KeySchema):
    """Order family: the key and a strategy name."""

    strategy = text()


class WholeQuantity:
    """Mixin of order schemas: whole quantities, upper-case actions."""

    @validates_schema
    def _whole(self, data: dict[str, Any], **_: Any) -> None:
        whole_quantity(data)

    @post_load
    def _tidy(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return tidy_order(data)


def tidy_order(data: dict[str, Any]) -> dict[str, Any]:
    """Upper-case action and option type; whole numbers as integers."""
    for name in ("action", "option_type"):
        if (value := data.get(name)) is not None:
            data[name] = value.upper()
    value = data.get("quantity")
    if isinstance(value, float) and value == int(value):
        data["quantity"] = int(value)
    return data


class Lenient:
    """Meta of schemas that ignore unknown fields."""

    unknown = EXCLUDE


class Kept:
    """Meta of schemas that keep unknown fields."""

    unknown = INCLUDE
