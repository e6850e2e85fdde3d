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

from openalgo_desktop.core import numbers
from openalgo_desktop.core.enums import Exchange, PriceType, Product

EXCHANGES = tuple(e.value for e in Exchange)
DERIVATIVES = ("NFO", "BFO", "MCX", "CDS", "NCO", "BCD", "NCDEX", "CRYPTO")
ACTIONS = ("BUY", "SELL", "buy", "sell")
PRICE_TYPES = tuple(p.value for p in PriceType)
PRODUCTS = tuple(p.value for p in Product)
OPTION_PRODUCTS = ("MIS", "NRML")
OPTION_TYPES = ("CE", "PE", "ce", "pe")

KEY_LENGTH = Length(min=1, max=256)
_SPECIAL = ("nan", "inf", "infinity")


class Number(fields.Float):
    """A number as :func:`openalgo_desktop.core.numbers.number` reads it."""

    def _validated(self, value: Any) -> float:
        try:
            return numbers.number(value)
        except numbers.TooLarge:
            raise self.make_error("too_large", input=value) from None
        except ValueError:
            special = isinstance(value, str) and value.strip().lower().lstrip("+-") in _SPECIAL
            if isinstance(value, str) and not special:
                raise self.make_error("invalid", input=value) from None
        return super()._validated(value)  # its words for what is special


class Whole(fields.Int):
    """A whole number; its text has digits only (``"10.0"`` is refused where ``10.0`` is not)."""

    def _validated(self, value: Any) -> int:
        try:
            if isinstance(value, str) and not numbers.is_digits(value.strip().lstrip("+-")):
                raise ValueError(value)
            return numbers.whole(value)
        except numbers.TooLarge:
            raise self.make_error("too_large", input=value) from None
        except ValueError:
            raise self.make_error("invalid", input=value) from None


class Day(fields.Date):
    """A day as ``YYYY-MM-DD``, in ASCII digits."""

    def __init__(self, **options: Any) -> None:
        super().__init__(format="%Y-%m-%d", **options)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, str) and not value.isascii():
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE)
        return super()._deserialize(value, attr, data, **kwargs)


class Text(fields.Str):
    """A text of a sane length: most of them come back in every row of the books."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        found: str = super()._deserialize(value, attr, data, **kwargs)
        if len(found) > numbers.MAX_TEXT:
            raise ValidationError(f"Longer than maximum length {numbers.MAX_TEXT}.")
        return found


def text(**options: Any) -> Text:
    """A required text."""
    return Text(required=True, **options)


def choice(values: Sequence[str], **options: Any) -> Text:
    """A text out of ``values``; required unless a default is given."""
    options.setdefault("required", "load_default" not in options)
    return Text(validate=OneOf(values), **options)


def exchange(values: Sequence[str] = EXCHANGES, **options: Any) -> Text:
    """An exchange out of the list."""
    return choice(values, **options)


def amount(message: str, *, positive: bool = False, **options: Any) -> Number:
    """A number, zero or more (more than zero when ``positive``)."""
    return Number(validate=Range(min=0, min_inclusive=not positive, error=message), **options)


def quantity(message: str = "Quantity must be a positive number.", **options: Any) -> Number:
    """A required quantity above zero."""
    return amount(message, positive=True, required=True, **options)


def price(**options: Any) -> Number:
    """A price; 0 when absent."""
    if not options.get("required"):
        options.setdefault("load_default", 0.0)
    return amount("Price must be a non-negative number.", **options)


def trigger_price(**options: Any) -> Number:
    """A trigger price; 0 when absent."""
    if not options.get("required"):
        options.setdefault("load_default", 0.0)
    return amount("Trigger price must be a non-negative number.", **options)


def disclosed(**options: Any) -> Whole:
    """A disclosed quantity; 0 when absent."""
    if not options.get("required"):
        options.setdefault("load_default", 0)
    return Whole(
        validate=Range(min=0, error="Disclosed quantity must be a non-negative integer."), **options
    )


def count(message: str, **options: Any) -> Whole:
    """A whole number of at least 1."""
    return Whole(validate=Range(min=1, error=message), **options)


def whole_quantity(data: dict[str, Any]) -> None:
    """Refuse a fractional quantity or position size outside CRYPTO."""
    if data.get("exchange") == "CRYPTO":
        return
    for name in ("quantity", "position_size"):
        value = data.get(name)
        if value is not None and value != int(value):
            raise ValidationError(
                f"Fractional {name} ({value}) is not allowed for non-crypto exchanges.", name
            )


class KeySchema(Schema):
    """Every request carries the key; unknown fields are refused."""

    apikey = fields.Str(required=True, validate=KEY_LENGTH)


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
    """Upper-case action and option type; whole quantities as integers."""
    for name in ("action", "option_type"):
        if (value := data.get(name)) is not None:
            data[name] = value.upper()
    for name in ("quantity", "position_size"):
        value = data.get(name)
        if isinstance(value, float) and value == int(value):
            data[name] = int(value)
    return data


class Lenient:
    """Meta of schemas that ignore unknown fields."""

    unknown = EXCLUDE


class Kept:
    """Meta of schemas that keep unknown fields."""

    unknown = INCLUDE
