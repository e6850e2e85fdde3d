"""What is wrong with a spec."""

from __future__ import annotations

from collections.abc import Mapping

from openalgo_desktop.brokers.kit.spec.broker import BrokerSpec
from openalgo_desktop.brokers.kit.spec.logins import Call
from openalgo_desktop.core.enums import INDEX_EXCHANGES, Action, Interval
from openalgo_desktop.core.errors import ConfigError

#: Requests that every broker must have; others go with a capability.
REQUIRED_OPS = ("place", "modify", "cancel", "orders", "trades", "positions", "holdings", "funds")
#: Fields that a book row must say.
REQUIRED_ROWS: Mapping[str, tuple[str, ...]] = {
    "order": ("order_id", "action", "quantity", "price_type", "product", "status"),
    "trade": ("order_id", "action", "product", "quantity", "price"),
    "position": ("product", "quantity", "average_price"),
    "holding": ("quantity", "average_price"),
}


def check(spec: BrokerSpec) -> list[str]:
    """What is wrong with a spec, empty when it is complete and its maps are one to one."""
    found: list[str] = []
    for name in ("exchanges", "products", "price_types", "actions"):
        found += getattr(spec, name).problems(name)
    if clash := set(spec.statuses.also) & set(spec.statuses.pairs.values()):
        found.append(f"statuses: {sorted(map(str, clash))} is in the pairs and in also")
    if missing := set(Action) - set(spec.actions.send):
        found.append(f"actions: {sorted(missing)} missing")
    found += _check_capabilities(spec)
    wanted = REQUIRED_OPS + (() if spec.capabilities.feed_quotes else ("quotes",))
    wanted += ("margin",) if spec.capabilities.margin else ()
    wanted += tuple({rule.op: 0 for rule in spec.capabilities.intervals.values()})
    if spec.capabilities.gtt:
        wanted += ("gtt_place", "gtt_modify", "gtt_cancel", "gtt_orders")
    found += [f"ops: {name} missing" for name in wanted if name not in spec.ops]
    for kind, fields in REQUIRED_ROWS.items():
        found += [f"rows: {kind}.{f} missing" for f in fields if f not in spec.rows.get(kind, {})]
    found += _check_hosts(spec)
    if not spec.logins:
        found.append("logins: none")
    return found


def _check_capabilities(spec: BrokerSpec) -> list[str]:
    found = []
    can = spec.capabilities
    for exchange in can.exchanges:
        if exchange in INDEX_EXCHANGES:
            continue  # quotes only: the instrument row carries the broker's exchange
        if exchange not in spec.exchanges.send:
            found.append(f"exchanges: {exchange} is offered but not mapped")
        if not can.products.get(exchange):
            found.append(f"capabilities: no product on {exchange}")
    for exchange, products in can.products.items():
        words = spec.products.of(exchange).send
        found += [f"products: {p} not mapped" for p in products if p not in words]
    found += [
        f"intervals: {interval} has no bar of today to be made from the quote"
        for interval, rule in can.intervals.items()
        if rule.today_from_quote and interval is not Interval.DAY
    ]
    found += [
        f"price_types: {p} not mapped" for p in can.price_types if p not in spec.price_types.send
    ]
    return found


def _check_hosts(spec: BrokerSpec) -> list[str]:
    used = {op.host for op in spec.ops.values()} | {f.host for f in spec.master.files}
    used |= {stream.host for stream in spec.streams}
    used |= {s.op.host for login in spec.logins for s in login.steps if isinstance(s, Call)}
    used |= {call.op.host for stream in spec.streams for call in stream.fetch}
    used |= {call.op.host for call in spec.renewals.values()}
    found = [f"hosts: {name!r} is used but not declared" for name in sorted(used - set(spec.hosts))]
    for op in spec.ops.values():
        found += [
            f"limits: {name!r} is used but not declared"
            for name in op.limit.split()
            if name not in spec.limits
        ]
        most = min((r.count for b in op.buckets for r in spec.limits.get(b, ())), default=op.cost)
        if not 1 <= op.cost <= most:
            found.append(f"limits: a cost of {op.cost} does not fit in {most} grants")
    renewed = {op.renew for op in spec.ops.values()} | {s.renew for s in spec.streams}
    for name in renewed - {""} - set(spec.renewals):
        found.append(f"renewals: {name!r} is used but not declared")
    return sorted(set(found))


def require_valid(spec: BrokerSpec) -> BrokerSpec:
    """The spec itself; :class:`ConfigError` names all that is wrong with it."""
    if problems := check(spec):
        raise ConfigError(f"Broker {spec.id}: " + "; ".join(problems))
    return spec
