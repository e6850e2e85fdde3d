"""Schemas of good-till-triggered orders."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, post_load, pre_load, validates_schema
from marshmallow.validate import Length, OneOf, Range

from openalgo_desktop.local_api.schemas import base
from openalgo_desktop.local_api.schemas.base import StrategySchema

_OPTIONAL = ("triggerprice_sl", "triggerprice_tg", "stoploss", "target")
_OCO = {
    "triggerprice_sl": "Required for OCO (stoploss trigger).",
    "stoploss": "Required for OCO (stoploss leg limit).",
    "triggerprice_tg": "Required for OCO (target trigger).",
    "target": "Required for OCO (target leg limit).",
}


def _trigger_type(value: str) -> None:
    if value.upper() not in ("SINGLE", "OCO"):
        raise ValidationError("Must be 'SINGLE' or 'OCO'.")


def _limit() -> base.Number:
    return base.Number(load_default=None, allow_none=True, validate=Range(min=0))


class _Rules:
    """Checks over several fields, shared by place and modify."""

    @pre_load
    def _empty_is_absent(self, data: Any, **_: Any) -> Any:
        if isinstance(data, dict):
            return {k: v for k, v in data.items() if not (v == "" and k in _OPTIONAL)}
        return data

    @validates_schema
    def _triggers(self, data: dict[str, Any], **_: Any) -> None:
        base.whole_quantity(data)
        below, above = data["triggerprice_sl"] or 0.0, data["triggerprice_tg"] or 0.0
        if data["trigger_type"].upper() == "SINGLE":
            if below <= 0 and above <= 0:
                raise ValidationError(
                    "SINGLE GTT requires a positive triggerprice_sl or triggerprice_tg.",
                    "triggerprice_sl",
                )
            return
        missing = {name: [text] for name, text in _OCO.items() if not (data[name] or 0.0) > 0}
        if missing:
            raise ValidationError(missing)
        if below >= above:
            raise ValidationError(
                "Stoploss trigger must be less than target trigger (triggerprice_tg).",
                "triggerprice_sl",
            )

    @post_load
    def _tidy(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        data["trigger_type"] = data["trigger_type"].upper()
        return base.tidy_order(data)


class _GttFields(_Rules, StrategySchema):
    class Meta(base.Lenient):
        pass

    trigger_type = base.text(validate=_trigger_type)
    exchange = base.exchange()
    symbol = base.text()
    action = base.choice(base.ACTIONS)
    product = base.Text(
        required=True,
        validate=OneOf(
            ("NRML", "CNC"),
            error="GTT supports only CNC (delivery) or NRML (overnight F&O); MIS is intraday-only.",
        ),
    )
    quantity = base.quantity()
    pricetype = base.choice(("LIMIT", "MARKET"), load_default="LIMIT")
    price = base.price(required=True)
    triggerprice_sl = base.trigger_price()
    triggerprice_tg = base.trigger_price()
    stoploss = _limit()
    target = _limit()


class PlaceGtt(_GttFields):
    expires_at = base.Text(load_default=None, allow_none=True)


class ModifyGtt(_GttFields):
    class Meta(base.Lenient):
        fields = (
            "apikey",
            "strategy",
            "trigger_id",
            "trigger_type",
            "exchange",
            "symbol",
            "action",
            "product",
            "quantity",
            "pricetype",
            "price",
            "triggerprice_sl",
            "triggerprice_tg",
            "stoploss",
            "target",
        )

    trigger_id = base.text(validate=Length(min=1))


class OneGtt(StrategySchema):
    trigger_id = base.text()
