"""What is wrong with a spec where money is at stake: what an order must say and what its row must,
and which requests change something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from openalgo_desktop.brokers.kit.rest.values import NAME, VALUE
from openalgo_desktop.brokers.kit.spec.broker import BrokerSpec
from openalgo_desktop.brokers.kit.spec.check_requests import texts
from openalgo_desktop.brokers.kit.spec.operations import Op
from openalgo_desktop.core.enums import OrderStatus, PriceType
from openalgo_desktop.core.protection import LIMITED

#: Order writes: a lost answer of theirs must make the order's state unknown.
WRITES = (
    *(kind + verb for kind in ("", "gtt_", "oco_") for verb in ("place", "modify", "cancel")),
    "convert",
)
#: First words of the names of requests that change nothing, whatever their method.
READS = frozenset(
    {
        "profile", "logout", "mode", "orders", "trades", "positions", "holdings", "funds",
        "margin", "quotes", "ltp", "depth", "history", "intervals", "instruments", "subscribe",
        "unsubscribe",
    }
)  # fmt: skip
_READ_NAMES = frozenset({"gtt_orders"})
#: What these requests have to say of an order.
NEEDED: Mapping[str, frozenset[str]] = {
    "place": frozenset({"wire_action", "wire_product", "wire_price_type", "quantity", "price"}),
    "modify": frozenset({"order_id", "wire_price_type", "quantity", "price"}),
    "cancel": frozenset({"order_id"}),
    "convert": frozenset({"wire_product", "wire_to_product", "quantity"}),
}
#: Value words that would spoil a price or a quantity.
_SPOIL = {
    "price": ("int", "lots"),
    "trigger_price": ("int", "lots"),
    "quantity": ("paise",),
    "disclosed_quantity": ("paise",),
}
#: Longest time that an order write may wait for its answer, seconds: the state of an order must
#: not stay open longer.
LONGEST_WRITE = 30.0
#: How an order can end, and be alive.
_STATES = (OrderStatus.OPEN, OrderStatus.COMPLETE, OrderStatus.CANCELLED, OrderStatus.REJECTED)


def orders(spec: BrokerSpec) -> Iterator[str]:
    """All of it."""
    for name, op in spec.ops.items():
        yield from _write(name, op)
        yield from _words(name, op)
    for name, needed in NEEDED.items():
        if name not in spec.ops or isinstance(spec.ops[name].body, str):
            continue  # a whole body is a hook's
        wanted = set(needed)
        if name in ("place", "modify") and any(
            kind.has_trigger for kind in spec.capabilities.price_types
        ):
            wanted.add("trigger_price")
        if name in ("place", "modify") and len(spec.capabilities.validities) > 1:
            wanted.add("wire_validity")  # else what was meant to be immediate would stay
        if name in ("place", "modify") and spec.capabilities.discloses:
            wanted.add("disclosed_quantity")
        for missing in sorted(wanted - _used(spec.ops[name]) - set(spec.ops[name].keeps)):
            yield f"ops.{name}: it does not say {missing}"
    for status in _STATES:
        if status not in set(spec.statuses.send):
            yield f"statuses: no word for {status}"
    yield from _protected(spec)


def _write(name: str, op: Op) -> Iterator[str]:
    if op.write:
        if op.timeout > LONGEST_WRITE:
            yield f"ops.{name}: {op.timeout:g} s are too long to know nothing of an order"
    elif name in WRITES:
        yield f"ops.{name}: it changes orders and is no write"
    elif op.method != "GET" and not (name in _READ_NAMES or name.partition("_")[0] in READS):
        yield (
            f"ops.{name}: nobody knows that it only reads: say write=True, or give it a name that "
            f"begins like a read ({', '.join(sorted(READS))})"
        )


def _protected(spec: BrokerSpec) -> Iterator[str]:
    can = spec.capabilities.price_types
    for kind in spec.protect:
        limit = LIMITED.get(kind, PriceType.LIMIT)
        if limit not in can:
            yield f"protect: {kind} leaves as {limit}, which is not offered"


def _words(name: str, op: Op) -> Iterator[str]:
    for match in _values(op):
        bad = set(_SPOIL.get(match["name"], ())) & set(match["words"].split(":"))
        for word in sorted(bad):
            yield f"ops.{name}: {match[0]!r}: {word!r} spoils a {match['name'].replace('_', ' ')}"


def _used(op: Op) -> set[str]:
    """The values that a request is made of."""
    found = set(NAME.findall(op.path))
    return found | {match["name"] for match in _values(op)}


def _values(op: Op) -> Iterator[Any]:
    for text in (*texts(op.query), *texts(op.body)):
        if (match := VALUE.fullmatch(text)) is not None:
            yield match
