"""What every request of a broker can be made of, as one sample made from its own spec: the
validator renders all tables with it, so that a name or a word that is wrong is found at once.

Values of hooks are not known here; the API class declares their names (``BrokerApi.gives``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from openalgo_desktop.brokers.kit.spec.broker import BrokerSpec
from openalgo_desktop.brokers.kit.spec.logins import Login
from openalgo_desktop.brokers.kit.spec.vocabulary import TwoWay, wire_fields
from openalgo_desktop.core.enums import INDEX_EXCHANGES

#: Stands for a value of which only the name is known: it can be any number or text.
ANY = "1"
#: Key of ``BrokerApi.gives`` for values that every operation may use.
EVERYWHERE = "*"
_LOT = 75
_MODIFIED = ("order_id", "tag")
_CANDLES = (
    "from_date", "to_date", "from_epoch", "to_epoch", "from_ms", "to_ms", "wire_interval",
)  # fmt: skip


class Scope(NamedTuple):
    """Values by name, and the names among them that may be missing: those can only be used with
    a ``?``."""

    values: Mapping[str, Any]
    maybe: frozenset[str] = frozenset()

    def plus(self, values: Mapping[str, Any], maybe: Iterable[str] = ()) -> Scope:
        """With further values."""
        left = self.maybe - values.keys()
        return Scope({**self.values, **values}, left | frozenset(maybe))


def any_of(names: Iterable[str]) -> dict[str, Any]:
    """Values of which only the names are known."""
    return dict.fromkeys(names, ANY)


def session_scope(spec: BrokerSpec, login: Login, renew: str = "") -> Scope:
    """The values of a session that began with ``login``; those of the second session ``renew``
    are there too. Fields of the other logins may be."""
    sure = {f.name for f in login.fields if f.stored and not f.optional}
    sure |= {*login.session, *login.extras, "client_id"}
    for name, call in spec.renewals.items():
        sure |= set(call.gives) if name == renew else set()
    every = {f.name for one in spec.logins for f in one.fields if f.stored}
    every |= {name for one in spec.logins for name in (*one.session, *one.extras)}
    every |= {name for call in spec.renewals.values() for name in call.gives}
    return Scope(any_of(sure | every), frozenset(every - sure))


def instrument_values(spec: BrokerSpec) -> dict[str, Any]:
    """An instrument of the first exchange that takes orders."""
    exchange = next((e for e in spec.capabilities.exchanges if e not in INDEX_EXCHANGES), "")
    first, second = wire_fields(spec.exchanges.send.get(exchange, ANY))  # type: ignore[call-overload]
    return {
        "symbol": "SBIN",
        "exchange": str(exchange),
        "brsymbol": "SBIN-EQ",
        "brexchange": "NSE",
        "token": "3045",
        "wire_exchange": first,
        "wire_segment": second or ANY,
        "lot_size": _LOT,
        "lot": _LOT,
    }


def order_values(spec: BrokerSpec) -> dict[str, Any]:
    """An order with every field."""
    return {
        **instrument_values(spec),
        "wire_action": _first(spec.actions),
        "wire_product": _first(spec.products),
        "wire_price_type": _first(spec.price_types),
        "wire_validity": next(iter(spec.capabilities.validities.values()), ANY),
        "quantity": _LOT,
        "disclosed_quantity": _LOT,
        "price": 812.35,
        "trigger_price": 810.05,
    }


def group_values(spec: BrokerSpec) -> dict[str, dict[str, Any]]:
    """Names that ``BrokerApi.gives`` may use for many: what ``instrument_values`` and
    ``order_context`` give."""
    return {"@instrument": instrument_values(spec), "@order": order_values(spec)}


def operation_values(spec: BrokerSpec) -> dict[str, dict[str, Any]]:
    """The values that the kit itself gives to its operations."""
    order, instrument = order_values(spec), instrument_values(spec)
    candles = {**instrument, **any_of(_CANDLES)}
    trigger = any_of(("trigger_id", "tag"))
    repeated = any_of(spec.repeats)
    return {
        "place": {**order, "tag": ANY},
        "modify": {**order, **any_of(_MODIFIED), **repeated},
        "cancel": {**instrument, **repeated, "order_id": ANY},
        "convert": {**order, "wire_to_product": _first(spec.products), "tag": ANY},
        "margin": {**order, "legs": [order]},
        "quotes": {"keys": [ANY]},
        "history": candles,
        **dict.fromkeys((rule.op for rule in spec.capabilities.intervals.values()), candles),
        "gtt_place": {"tag": ANY},
        "gtt_modify": trigger,
        "gtt_cancel": {"trigger_id": ANY},
    }


def _first(words: TwoWay[Any]) -> Any:
    return next(iter(words.send.values()), ANY)
