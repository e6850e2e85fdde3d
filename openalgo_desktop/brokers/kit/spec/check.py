"""What is wrong with a spec, in sentences. It runs whenever a broker is loaded."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar, Protocol

from openalgo_desktop.brokers.kit.rest.values import unit_of
from openalgo_desktop.brokers.kit.spec.broker import BrokerSpec
from openalgo_desktop.brokers.kit.spec.check_feeds import check_master, check_streams
from openalgo_desktop.brokers.kit.spec.check_orders import orders
from openalgo_desktop.brokers.kit.spec.check_requests import Gives, Requests, envelope, patterns
from openalgo_desktop.brokers.kit.spec.logins import Call, Hook
from openalgo_desktop.brokers.kit.spec.row_fields import REQUIRED, ROW_FIELDS
from openalgo_desktop.brokers.kit.spec.sample import EVERYWHERE
from openalgo_desktop.core.enums import INDEX_EXCHANGES, Action, Interval, PriceType
from openalgo_desktop.core.errors import AppError, ConfigError
from openalgo_desktop.core.protection import LIMITED

#: Requests that every broker must have; others go with a capability.
REQUIRED_OPS = ("place", "modify", "cancel", "orders", "trades", "positions", "holdings", "funds")
_ID = re.compile(r"[a-z][a-z0-9_]*")


class Hooks(Protocol):
    """What the validator looks at in an API class."""

    #: Names of the values that its hooks add, by operation or login step; see ``BrokerApi``.
    gives: ClassVar[Gives]


def check(spec: BrokerSpec, api: type[Hooks] | None = None) -> list[str]:
    """What is wrong with a spec, empty when it is complete. ``api`` is the broker's API class,
    which must have the login steps that the spec names, and says what its hooks add."""
    gives = api.gives if api is not None else {}
    requests = Requests(spec, gives)
    parts: list[Iterable[str]] = [
        _identity(spec),
        _vocabulary(spec),
        _statuses(spec),
        _capabilities(spec),
        _market(spec),
        _protection(spec),
        _limits(spec),
        _rows(spec),
        _operations(spec),
        _errors(spec),
        requests.all(),
        orders(spec),
        check_streams(spec, requests),
        check_master(spec),
        _unused(spec),
        _hooks(spec, api, gives),
    ]
    return list(dict.fromkeys(problem for part in parts for problem in part))


def require_valid(spec: BrokerSpec, api: type[Hooks] | None = None) -> BrokerSpec:
    """The spec itself; :class:`ConfigError` names all that is wrong with it."""
    if problems := check(spec, api):
        raise ConfigError(f"Broker {spec.id}: " + "; ".join(problems))
    return spec


def _identity(spec: BrokerSpec) -> Iterator[str]:
    if not _ID.fullmatch(spec.id):
        yield f"id: {spec.id!r} must be small letters, digits and _"
    if not spec.title:
        yield "title: none"
    if not spec.logins:
        yield "logins: none"
    ids = [login.id for login in spec.logins]
    for name in {name for name in ids if ids.count(name) > 1}:
        yield f"logins: two are called {name!r}"
    for login in spec.logins:
        names = [field.name for field in login.fields]
        for name in {name for name in names if names.count(name) > 1}:
            yield f"logins.{login.id}: {name!r} is asked for twice"


# -- words ----------------------------------------------------------------------------------
def _vocabulary(spec: BrokerSpec) -> Iterator[str]:
    maps: dict[str, Any] = {
        "exchanges": spec.exchanges,
        "products": spec.products,
        "price_types": spec.price_types,
        "actions": spec.actions,
    }
    for name, words in maps.items():
        yield from words.problems(name)
        for exchange in words.per:
            if exchange not in spec.capabilities.exchanges:
                yield f"{name}: {exchange} has words of its own and is not offered"
    if missing := set(Action) - set(spec.actions.send):
        yield f"actions: {', '.join(sorted(missing))} missing"
    kinds = {isinstance(word, tuple) for word in spec.exchanges.read}
    if len(kinds) > 1:
        yield "exchanges: some have one word on the wire and some two"


def _statuses(spec: BrokerSpec) -> Iterator[str]:
    words = [*spec.statuses.pairs.values(), *spec.statuses.also]
    for word in {word for word in words if words.count(word) > 1}:
        yield f"statuses: {word!r} is there twice"
    seen: dict[str, Any] = {}
    for word, status in spec.statuses.read.items():  # read without regard to case
        plain = str(word).strip().upper()
        if seen.setdefault(plain, status) is not status:
            yield f"statuses: {word!r} means two things"
    for word in spec.settling:
        if word not in spec.statuses.read:
            yield f"settling: {word!r} is no status"


def _capabilities(spec: BrokerSpec) -> Iterator[str]:
    can = spec.capabilities
    for exchange in can.exchanges:
        if exchange in INDEX_EXCHANGES:
            continue  # quotes only: the instrument row carries the broker's exchange
        if exchange not in spec.exchanges.send:
            yield f"exchanges: {exchange} is offered but not mapped"
        if not can.products.get(exchange):
            yield f"capabilities: no product on {exchange}"
        prices = spec.price_types.of(exchange).send
        yield from (f"price_types: {p} not mapped" for p in can.price_types if p not in prices)
    for exchange, products in can.products.items():
        if exchange not in can.exchanges:
            yield f"capabilities: products on {exchange}, which is not offered"
        words = spec.products.of(exchange).send
        yield from (f"products: {p} not mapped" for p in products if p not in words)
    for exchange in spec.in_contracts - set(spec.exchanges.read.values()):
        yield f"in_contracts: {exchange} is not mapped"
    for exchange in spec.doubted - set(spec.exchanges.read.values()):
        yield f"doubted: {exchange} is not mapped"
    for exchange in spec.doubted & spec.in_contracts:
        yield f"doubted: {exchange} is said to be in contracts"


def _market(spec: BrokerSpec) -> Iterator[str]:
    can = spec.capabilities
    for interval, rule in can.intervals.items():
        if rule.today_from_quote and interval is not Interval.DAY:
            yield f"intervals: {interval} has no bar of today to be made from the quote"
        if rule.days < 1:
            yield f"intervals: {interval} in pieces of {rule.days} days"
    if can.quote_batch < 0 or can.depth_levels < 1:
        yield "capabilities: a quote has one instrument (0: there are no quotes) and one level"
    if can.tags != ("tag" in spec.rows.get("order", {})):
        yield "capabilities: orders keep our tag where rows.order has one, and only there"
    if can.feed_quotes and spec.stream is None:
        yield "capabilities: quotes from a feed, and there is no market feed"
    if can.margin and "total" not in spec.rows.get("margin", {}):
        yield "rows: margin.total missing"


def _protection(spec: BrokerSpec) -> Iterator[str]:
    can = spec.capabilities
    if spec.protect and can.market_protection:
        yield "protect: the broker protects market orders itself, as its capabilities say"
    for kind, exchanges in spec.protect.items():
        if kind not in LIMITED:
            yield f"protect: a {kind} order needs no limit in its place"
        elif kind not in can.price_types:
            yield f"protect: {kind} is not offered"
        for exchange in sorted(set(exchanges) - set(can.products)):
            yield f"protect: {kind} on {exchange}, which takes no orders"
    if PriceType.LIMIT not in can.price_types:
        yield "price_types: LIMIT is not offered"


def _limits(spec: BrokerSpec) -> Iterator[str]:
    for name, rates in spec.limits.items():
        if not rates or any(rate.count < 1 or rate.seconds <= 0 for rate in rates):
            yield f"limits: {name!r} lets nothing through"


# -- answers --------------------------------------------------------------------------------
def _rows(spec: BrokerSpec) -> Iterator[str]:
    two = any(isinstance(word, tuple) for word in spec.exchanges.read)
    for kind, fields in REQUIRED.items():
        has = spec.rows.get(kind, {})
        yield from (f"rows: {kind}.{name} missing" for name in fields if name not in has)
        if not {"brsymbol", "token"} & has.keys():
            yield f"rows: {kind} has neither brsymbol nor token"
        if ("segment" in has) != two:
            words = "two words" if two else "one word"
            yield f"rows: {kind}: exchanges have {words} on the wire, segment is the second"
    for kind, paths in spec.rows.items():
        known = ROW_FIELDS.get(kind)
        if known is None:
            yield f"rows: nobody reads {kind!r}"
            continue
        yield from (f"rows: nobody reads {kind}.{name}" for name in paths if name not in known)
        for name, path in paths.items():
            if (kind, name) == ("quote", "key"):
                continue  # a template
            try:
                unit_of(path)
            except ConfigError as error:
                yield f"rows: {kind}.{name}: {error.message}"


def _operations(spec: BrokerSpec) -> Iterator[str]:
    can = spec.capabilities
    wanted = [*REQUIRED_OPS, *(rule.op for rule in can.intervals.values())]
    wanted += ("quotes",) if can.quote_batch and not can.feed_quotes else ()
    wanted += ("margin",) if can.margin else ()
    wanted += ("gtt_place", "gtt_modify", "gtt_cancel", "gtt_orders") if can.gtt else ()
    wanted += ("convert",) if can.converts else ()
    yield from (f"ops: {name} missing" for name in wanted if name not in spec.ops)
    for name, can_it in (
        ("margin", can.margin),
        ("gtt_place", can.gtt),
        ("convert", can.converts),
    ):
        if name in spec.ops and not can_it:
            yield f"capabilities: ops has {name}, and nobody is told"


def _errors(spec: BrokerSpec) -> Iterator[str]:
    yield from envelope("envelope", spec.envelope)
    for number, rule in enumerate(spec.errors, 1):
        where = f"errors: rule {number}"
        if not (isinstance(rule.error, type) and issubclass(rule.error, AppError)):
            yield f"{where}: {rule.error!r} is no error"
        if not (rule.code or rule.pattern or rule.status):
            yield f"{where} fits every answer"
        yield from patterns(where, [rule.pattern])


# -- the rest -------------------------------------------------------------------------------
def _unused(spec: BrokerSpec) -> Iterator[str]:
    """Hosts, buckets and second sessions that nothing uses are spelled wrong somewhere."""
    ops = [*spec.ops.values(), *(call.op for call in spec.renewals.values())]
    ops += [call.op for stream in spec.streams for call in stream.fetch]
    steps = [step for login in spec.logins for step in login.steps]
    ops += [step.op for step in steps if isinstance(step, Call)]
    hosts = {op.host for op in ops} | {s.host for s in spec.streams}
    hosts |= {file.host for file in spec.master.files}
    if not any(isinstance(step, Hook) for step in steps):  # they may ask elsewhere
        yield from (f"hosts: nothing uses {name!r}" for name in sorted(set(spec.hosts) - hosts))
    buckets = {name for op in ops for name in op.buckets}
    yield from (f"limits: nothing uses {name!r}" for name in sorted(set(spec.limits) - buckets))
    renewed = {op.renew for op in ops} | {stream.renew for stream in spec.streams}
    yield from (f"renewals: nothing uses {n!r}" for n in sorted(set(spec.renewals) - renewed))


def _hooks(spec: BrokerSpec, api: type | None, gives: Gives) -> Iterator[str]:
    steps = {step.method for login in spec.logins for step in login.steps if isinstance(step, Hook)}
    for name in sorted(steps):
        method: Callable[..., Any] | None = inspect.getattr_static(api, name, None)
        if not inspect.iscoroutinefunction(method):
            yield f"logins: {name!r} is no login step of the API class"
    for name in gives:  # a class may serve a family, whose members have more or less
        known = name in spec.ops or inspect.getattr_static(api, name, None) is not None
        if not known and name != EVERYWHERE:
            yield f"gives: {name!r} is neither an operation nor a login step"
