"""What prices, fills and positions do to exit plans. Pure: a plan in, a plan out.

A stop stands before a target when one price reaches both. A leg that is on its way can only be
overtaken by one that leaves less (a stop while a partial target is being filled).
"""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from openalgo_desktop.core.enums import Action, Product
from openalgo_desktop.core.errors import InvalidOrder
from openalgo_desktop.core.exits import (
    ZERO,
    ExitPlan,
    ExitSpec,
    Offset,
    PlanState,
    ResultExit,
    Target,
    Trigger,
    TriggerLeg,
    Under,
    Unit,
)
from openalgo_desktop.core.model import Position
from openalgo_desktop.core.money import PRICE_PLACES, plain

_HUNDRED = Decimal(100)
_FAR = Decimal("Infinity")
_SCALE = 10**PRICE_PLACES


class Due(msgspec.Struct, frozen=True):
    """A leg that a price reached; ``left`` units of the plan are to stay, ``hit`` targets are
    done by then."""

    leg: str
    left: int
    hit: int


def exact(price: float) -> Decimal:
    """A price of the feed without float noise."""
    return Decimal(round(price * _SCALE)).scaleb(-PRICE_PLACES)


def on_tick(price: Decimal, tick: Decimal) -> Decimal:
    """The nearest multiple of the tick."""
    if tick <= 0:
        return price
    return (price / tick).quantize(Decimal(1), ROUND_HALF_UP) * tick


# -- where legs stand ----------------------------------------------------------------------------
def distance(offset: Offset, plan: ExitPlan, reference: Decimal) -> Decimal:
    """A distance in rupees of the price, for what the plan protects. An offset that is a price
    has none: its distance from the entry."""
    if offset.unit is Unit.PRICE:
        return abs(offset.value - plan.entry)
    if offset.unit is Unit.POINTS:
        return offset.value
    if offset.unit is Unit.PERCENT:
        return reference * offset.value / _HUNDRED
    units = plan.base * plan.multiplier
    return offset.value / units if units else ZERO


def price_of(offset: Offset, plan: ExitPlan, *, gain: bool) -> Decimal:
    """The price at which a leg stands, on the tick."""
    if offset.unit is Unit.PRICE:
        return on_tick(offset.value, plan.tick)
    way = plan.side if gain else -plan.side
    return on_tick(plan.entry + way * distance(offset, plan, plan.entry), plan.tick)


def target_prices(plan: ExitPlan) -> tuple[Decimal, ...]:
    """The price of each target, done or not."""
    return tuple(price_of(target.at, plan, gain=True) for target in plan.spec.targets)


def placed(plan: ExitPlan) -> ExitPlan:
    """The plan with its stop where its spec wants it (anew after a change of spec or entry);
    what trailing and break-even have won is kept when it is nearer."""
    wanted = None if plan.spec.stop is None else price_of(plan.spec.stop, plan, gain=False)
    plan = msgspec.structs.replace(plan, stop_at=wanted)
    if plan.even:
        plan = _raised(plan, plan.entry + plan.side * plan.spec.lock)
    return _stepped(_trailed(plan))


def _raised(plan: ExitPlan, stop: Decimal) -> ExitPlan:
    """The stop at ``stop`` unless it is nearer already."""
    stop = on_tick(stop, plan.tick)
    if plan.stop_at is not None and (stop - plan.stop_at) * plan.side <= 0:
        return plan
    return msgspec.structs.replace(plan, stop_at=stop)


def _trailed(plan: ExitPlan) -> ExitPlan:
    if plan.spec.trail is None or plan.best is None:
        return plan
    gap = distance(plan.spec.trail, plan, plan.best)
    return _raised(plan, plan.best - plan.side * gap) if gap > 0 else plan


def armed(plan: ExitPlan) -> bool:
    """Whether a stop that follows in steps has won its trigger; by the best price, so that it
    stays so."""
    steps = plan.spec.steps
    if steps is None or plan.best is None or plan.entry <= 0:
        return False
    gain = (plan.best - plan.entry) * plan.side
    return gain > 0 and gain >= distance(steps.trigger, plan, plan.entry)


def _stepped(plan: ExitPlan) -> ExitPlan:
    steps, best = plan.spec.steps, plan.best
    if steps is None or best is None or not armed(plan):
        return plan
    step = distance(steps.step, plan, plan.entry)
    stop = best - plan.side * step
    if steps.stepped:
        offset = plan.spec.stop
        begin = plan.entry if offset is None else price_of(offset, plan, gain=False)
        trigger = distance(steps.trigger, plan, plan.entry)
        won = (best - plan.entry) * plan.side // trigger
        stop = begin + plan.side * step * won
    if (stop - best) * plan.side > 0:
        stop = best
    return _raised(plan, stop)


def to_entry(plan: ExitPlan, price: Decimal | None) -> ExitPlan | None:
    """The plan with its stop at the entry price; None where that would loosen it, or where the
    ``price`` is through it already or not known."""
    stop = on_tick(plan.entry, plan.tick)
    if plan.held <= 0 or price is None or (price - stop) * plan.side <= 0:
        return None
    if plan.stop_at is not None and (stop - plan.stop_at) * plan.side <= 0:
        return None
    return _raised(msgspec.structs.replace(plan, even=True), stop)


# -- a price -------------------------------------------------------------------------------------
def look(plan: ExitPlan, price: Decimal) -> tuple[ExitPlan, Due | None]:
    """The plan after a fresh price (the same object when nothing moved), and the leg that it
    reached. The stop is compared before the price moves it: a new best price reaches no stop.
    One that follows in steps is moved first: a large step can bring it to the price itself."""
    if not _looks(plan):
        return plan, None
    if plan.spec.steps is not None:
        plan = _moved(plan, price)
    due = _due(plan, price)
    if due is not None and due.left == 0:
        return plan, due
    return _moved(plan, price), due


def _looks(plan: ExitPlan) -> bool:
    return plan.held > 0 and plan.state in (PlanState.ACTIVE, PlanState.EXITING)


def look_under(plan: ExitPlan, price: Decimal) -> Due | None:
    """The leg that a fresh price of the other instrument (:class:`Under`) reached."""
    under = plan.spec.under
    before = plan.firing.left if plan.firing is not None else plan.held
    if under is None or not _looks(plan) or before <= 0:
        return None
    gain = (price - under.entry) * under.way
    if under.stop is not None and gain <= -_away(under.stop, under):
        return Due("stop", 0, plan.hit)
    if under.target is not None and gain >= _away(under.target, under):
        return Due("target", 0, plan.hit)
    return None


def _away(offset: Offset, under: Under) -> Decimal:
    return under.entry * offset.value / _HUNDRED if offset.unit is Unit.PERCENT else offset.value


def _due(plan: ExitPlan, price: Decimal) -> Due | None:
    before = plan.firing.left if plan.firing is not None else plan.held
    if plan.stop_at is not None and (price - plan.stop_at) * plan.side <= 0:
        return Due("stop", 0, plan.hit) if before > 0 else None
    hit = plan.hit if plan.firing is None else plan.firing.hit
    reached = hit
    for target, at in zip(plan.spec.targets[hit:], target_prices(plan)[hit:], strict=True):
        if target.percent <= 0 or (price - at) * plan.side < 0:
            break
        reached += 1
    if reached == hit:
        return None
    return Due(f"target {reached}", min(before, left_after(plan, reached)), reached)


def band(plan: ExitPlan) -> tuple[Decimal, Decimal]:
    """Prices strictly between these do nothing to the plan: most ticks cost two comparisons."""
    ahead = [*target_prices(plan)[plan.hit : plan.hit + 1]]
    if plan.spec.break_even is not None and not plan.even:
        ahead.append(price_of(plan.spec.break_even, plan, gain=True))
    if plan.spec.trail is not None or plan.spec.steps is not None:
        if plan.best is None:
            return ZERO, ZERO
        ahead.append(plan.best)
    low, high = plan.stop_at, (min if plan.side > 0 else max)(ahead, default=None)
    if plan.side < 0:
        low, high = high, low
    return low if low is not None else -_FAR, high if high is not None else _FAR


def left_after(plan: ExitPlan, hit: int) -> int:
    """Units that stay when the first ``hit`` targets are done."""
    percent = sum(target.percent for target in plan.spec.targets[:hit])
    if percent >= 100:
        return 0
    out = plan.base * percent // 100
    return max(0, plan.base - out // plan.lot * plan.lot)


def ahead(plan: ExitPlan) -> tuple[Target, ...]:
    """Targets that are not done, in per cent of what is held now: what a change of one of them
    starts from."""
    rest, done = plan.spec.targets[plan.hit :], plan.spec.targets[: plan.hit]
    left = 100 - sum(target.percent for target in done)
    if not done or left <= 0:
        return rest
    found: list[Target] = []
    before = given = 0
    for target in rest:  # rounded together, so that all of them stay all of it
        before += target.percent
        upto = min(100, int(_HUNDRED * before / left + Decimal("0.5")))
        found.append(Target(target.at, max(1, upto - given)))
        given = upto
    return tuple(found)


def _moved(plan: ExitPlan, price: Decimal) -> ExitPlan:
    spec = plan.spec
    follows = spec.trail is not None or spec.steps is not None
    if follows and (plan.best is None or (price - plan.best) * plan.side > 0):
        plan = _stepped(_trailed(msgspec.structs.replace(plan, best=price)))
    if spec.break_even is not None and not plan.even and plan.entry > 0:
        goal = price_of(spec.break_even, plan, gain=True)
        if (price - goal) * plan.side >= 0:
            plan = msgspec.structs.replace(plan, even=True)
            plan = _raised(plan, plan.entry + plan.side * spec.lock)
    return plan


# -- fills and positions -------------------------------------------------------------------------
def entered(plan: ExitPlan, order_id: str, filled: int, average: float) -> ExitPlan:
    """An entry order of the plan has ``filled`` units so far. Told twice, it changes nothing."""
    known, _ = plan.entries.get(order_id, (0, ZERO))
    if filled < known or (filled == known and order_id in plan.entries):
        return plan
    entries = {**plan.entries, order_id: (filled, filled * exact(average))}
    units = sum(units for units, _ in entries.values())
    value = sum((value for _, value in entries.values()), ZERO)
    held = plan.held + filled - known
    state = plan.state
    if state is PlanState.WAITING and held:
        state = PlanState.ACTIVE
    plan = msgspec.structs.replace(plan, entries=entries, held=held, state=state)
    if units and filled > known:
        plan = placed(msgspec.structs.replace(plan, entry=value / units))
    return plan


def exited(plan: ExitPlan, order_id: str, filled: int) -> ExitPlan:
    """An exit order of the plan has ``filled`` units so far."""
    known = plan.exits.get(order_id, 0)
    if filled <= known and order_id in plan.exits:
        return plan
    more = max(0, filled - known)
    return msgspec.structs.replace(
        plan, exits={**plan.exits, order_id: known + more}, held=max(0, plan.held - more)
    )


def positioned(plan: ExitPlan, units: int, average: float = 0.0) -> ExitPlan:
    """The position is ``units`` (signed) now: a plan never protects more than is held, and one of
    the whole position follows it. What a plan protects no more does not come back to it."""
    here = max(0, units * plan.side)
    held = here if plan.whole else min(plan.held, here)
    plan = plan if held == plan.held else msgspec.structs.replace(plan, held=held)
    if plan.whole and here and average > 0 and exact(average) != plan.entry:
        plan = placed(msgspec.structs.replace(plan, entry=exact(average)))
    return plan


def converted(plan: ExitPlan, to: Product, *, alone: bool) -> ExitPlan:
    """The plan of a position that has another product now. Where other units of that product are
    held (not ``alone``), it goes on protecting its own and no more."""
    quantity = plan.quantity if alone or not plan.whole else plan.held
    return msgspec.structs.replace(plan, product=to, quantity=quantity, moving=None)


def settled(plan: ExitPlan, *, entry_works: bool = False) -> ExitPlan:
    """A leg whose units are out is over: the plan goes on with the rest, or waits for what its
    entry may still fill."""
    firing = plan.firing
    if firing is None or plan.held > firing.left:
        return plan
    state = PlanState.WAITING if entry_works else PlanState.DONE
    state = PlanState.ACTIVE if plan.held else state
    text = f"{firing.leg} done at {plain(float(firing.price))}"
    return msgspec.structs.replace(plan, firing=None, hit=firing.hit, state=state, message=text)


# -- the other plans -----------------------------------------------------------------------------
def reached(trigger: Trigger, price: Decimal) -> int:
    """Number of the leg that a price reaches, -1 for none. The lower leg comes first."""
    for number, leg in sorted(enumerate(trigger.legs), key=lambda row: not row[1].below):
        if price <= leg.price if leg.below else price >= leg.price:
            return number
    return -1


def limit(result: Decimal, loss: Decimal | None, profit: Decimal | None) -> str:
    """Which limit a result in rupees has reached: ``loss``, ``profit`` or neither (empty). The loss
    comes first."""
    if loss is not None and result <= -loss:
        return "loss"
    return "profit" if profit is not None and result >= profit else ""


def result_due(plan: ResultExit, result: Decimal, today: date) -> tuple[ResultExit, str]:
    """The plan after a result of today, and which limit it reached (empty: none). The best of
    another day is no best: results begin anew each day."""
    if reached := limit(result, plan.loss, plan.profit):
        return plan, reached
    if plan.trail is not None:
        if plan.best is None or plan.best_on != today or result > plan.best:
            return msgspec.structs.replace(plan, best=result, best_on=today), ""
        if result <= plan.best - plan.trail:
            return plan, "trailing result"
    return plan, ""


def specified(plan: ExitPlan, spec: ExitSpec, price: Decimal | None) -> ExitPlan:
    """The plan with another spec, checked against the last price."""
    check_spec(spec)
    retargeted = spec.targets != plan.spec.targets
    plan = msgspec.structs.replace(
        plan,
        spec=spec,
        even=plan.even and spec.break_even is not None and spec.break_even == plan.spec.break_even,
        hit=0 if retargeted else plan.hit,
        done=sum(plan.exits.values()) if retargeted else plan.done,
        best=(plan.best or price) if spec.trail == plan.spec.trail else price,
    )
    plan = placed(plan)
    if plan.held:  # the legs of an entry that waits have no place yet
        check_places(plan, price)
    return plan


def merged(old: ExitSpec, new: ExitSpec) -> ExitSpec:
    """``old`` with the legs that ``new`` gives."""
    return ExitSpec(
        stop=new.stop or old.stop,
        targets=new.targets or old.targets,
        trail=new.trail or old.trail,
        break_even=new.break_even or old.break_even,
        lock=new.lock or old.lock,
        steps=new.steps or old.steps,
        under=new.under or old.under,
    )


# -- what cannot be right ------------------------------------------------------------------------
def check_spec(spec: ExitSpec) -> None:
    """Raise :class:`InvalidOrder` with the field for what can never work."""
    if spec.empty:
        raise InvalidOrder("Give a stop, a target or a trailing stop.", field="stop")
    for name, offset in (
        ("stop", spec.stop),
        ("trail", spec.trail),
        ("break_even", spec.break_even),
        *(("target", target.at) for target in spec.targets),
    ):
        if offset is not None and not (offset.value.is_finite() and offset.value > 0):
            raise InvalidOrder(f"The {_word(name)} must be above 0.", field=name)
    if spec.trail is not None and spec.trail.unit is Unit.PRICE:
        raise InvalidOrder(
            "A trailing stop needs a distance: points, per cent or rupees.", field="trail"
        )
    if any(not 0 < target.percent <= 100 for target in spec.targets):
        raise InvalidOrder("A target takes 1 to 100 % of the quantity.", field="target")
    if sum(target.percent for target in spec.targets) > 100:
        raise InvalidOrder("All targets together take more than 100 %.", field="target")


def check_places(plan: ExitPlan, price: Decimal | None) -> None:
    """Raise :class:`InvalidOrder` where a leg stands on the wrong side of the last price: it
    would go out at once."""
    below, above = ("below", "above") if plan.side > 0 else ("above", "below")
    if price is None:
        return
    last = price
    stop = plan.stop_at
    if stop is not None and (last - stop) * plan.side <= 0:
        raise InvalidOrder(
            f"A stop for this position must be {below} the price {plain(float(last))}; "
            f"{plain(float(stop))} would go out at once. Close the position instead.",
            field="stop",
        )
    if stop is not None and stop <= 0 < plan.side:
        raise InvalidOrder("The stop would be at or below 0.", field="stop")
    before = last
    for at in target_prices(plan)[plan.hit :]:
        if at <= 0:
            raise InvalidOrder("The target would be at or below 0.", field="target")
        if (at - before) * plan.side <= 0:
            what = "the price" if before == last else "the one before it,"
            raise InvalidOrder(
                f"A target for this position must be {above} {what} {plain(float(before))}.",
                field="target",
            )
        before = at


def check_trigger(legs: tuple[TriggerLeg, ...], price: Decimal | None) -> None:
    """Raise :class:`InvalidOrder` for a trigger that is reached already, or a pair that is none."""
    if len(legs) not in (1, 2):
        raise InvalidOrder("A trigger has one order, or two of which one goes out.", field="legs")
    for leg in legs:
        if not (leg.price.is_finite() and leg.price > 0):
            raise InvalidOrder("The trigger price must be above 0.", field="trigger_price")
        if price is None or (leg.price < price if leg.below else leg.price > price):
            continue
        side = "below" if leg.below else "above"
        raise InvalidOrder(
            f"The trigger must be {side} the last price {plain(float(price))}: at "
            f"{plain(float(leg.price))} the order would go out at once.",
            field="trigger_price",
        )
    if len(legs) == 2:
        if legs[0].request.key != legs[1].request.key:
            raise InvalidOrder("Both orders of a pair are of one symbol.", field="symbol")
        if legs[0].below is legs[1].below:
            raise InvalidOrder(
                "A pair has one trigger below and one above the price.", field="trigger_price"
            )


def _word(name: str) -> str:
    return {"trail": "trailing distance", "break_even": "break-even gain"}.get(name, name)


def side_of(row: Position) -> int:
    """+1 long, -1 short, 0 flat."""
    return (row.quantity > 0) - (row.quantity < 0)


def closing_action(plan: ExitPlan) -> Action:
    """The side on which the plan exits."""
    return Action.SELL if plan.side > 0 else Action.BUY
