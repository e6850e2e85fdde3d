"""The figures of the position tools, the magnet, straight directions."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openalgo_desktop.core.charting.drawings.geometry import picture, words
from openalgo_desktop.core.charting.drawings.geometry.sheet import Point, box_of
from openalgo_desktop.core.charting.drawings.magnet import Magnet, snapped, straightened
from openalgo_desktop.core.charting.drawings.plan import completed, plan_of
from openalgo_desktop.core.charting.drawings.tools import tool
from tests.unit.core.charting.drawings.pane import Pane, anchor, drawn

LONG, SHORT = tool("long-position"), tool("short-position")


def position(row, entry, stop, target, **numbers):
    spots = ((10, entry), (20, stop), (20, target))
    return drawn(row, spots=spots, numbers=numbers)


def test_quantity_risks_no_more_than_is_set_in_whole_lots():
    plan = plan_of(position(LONG, 100.0, 98.0, 106.0, risk=1000.0, lot=75.0), LONG)
    assert plan.quantity == 450  # 6 lots of 75 at 2 rupees; 7 would risk 1,050
    assert (plan.loss, plan.gain, plan.multiple) == (900.0, 2700.0, 3.0)
    assert plan.is_sound and plan.words == "R 3.00  Qty 450"


def test_a_contract_risks_what_its_units_earn():
    """A unit of a currency earns 1,000 rupees for each rupee of its price."""
    numbers = {"risk": 5000.0, "lot": 1.0, "value": 1000.0}
    plan = plan_of(position(LONG, 84.0, 83.0, 86.0, **numbers), LONG)
    assert (plan.quantity, plan.loss, plan.gain) == (5, 5000.0, 10_000.0)
    short = plan_of(position(SHORT, 84.0, 85.0, 82.0, **numbers), SHORT)
    assert (short.quantity, short.loss, short.gain) == (5, 5000.0, 10_000.0)


def test_a_short_wins_below():
    plan = plan_of(position(SHORT, 100.0, 102.0, 95.0), SHORT)
    assert plan.is_sound and plan.multiple == 2.5
    assert plan.quantity == 500 and plan.loss == 1000.0 and plan.gain == 2500.0


def test_what_is_wrong_is_said():
    assert "wrong side" in plan_of(position(LONG, 100.0, 101.0, 110.0), LONG).words
    assert "one lot" in plan_of(position(LONG, 100.0, 90.0, 110.0, risk=5.0, lot=1.0), LONG).words
    plan = plan_of(position(LONG, 100.0, 100.0, 110.0), LONG)
    assert not plan.is_sound and plan.multiple != plan.multiple


def test_two_clicks_place_a_position():
    entry, stop = anchor(10, 100.0), anchor(20, 95.0)
    assert [a.price for a in completed(LONG, (entry, stop))] == [100.0, 95.0, 110.0]
    assert [a.price for a in completed(LONG, (entry, anchor(20, 110.0)))] == [100.0, 95.0, 110.0]
    assert [a.price for a in completed(SHORT, (entry, stop))] == [100.0, 102.5, 95.0]
    assert completed(tool("trend"), (entry, stop)) == (entry, stop)


def test_the_picture_says_r_and_result():
    drawing = position(LONG, 120.0, 115.0, 130.0)
    texts = [label.text for label in picture(drawing, Pane()).labels]
    assert texts[0] == "Target 130.00  +10.00 (+8.33%)  +2,000 ₹"
    assert texts[1] == "Stop 115.00  -5.00 (-4.17%)  -1,000 ₹"
    assert texts[2] == "Long 120.00  R 2.00  Qty 200"


def test_measures_say_price_bars_time_and_volume():
    texts = [label.text for label in picture(drawn(tool("date-price-range")), Pane()).labels]
    assert texts == ["+20.00 (+16.67%)\n10 bars, 50m\nVolume 1,100"]


def test_pattern_ratios():
    labels = [label.text for label in picture(drawn(tool("xabcd")), Pane()).labels]
    assert labels[:5] == ["X", "A", "B", "C", "D"]
    assert labels[5:] == ["0.500", "3.000", "0.333", "0.500"]


@pytest.mark.parametrize("magnet", Magnet)
def test_magnet(magnet):
    at = Pane()
    high = float(at.bars.high[30])
    near, far = Point(at.x(30.3), at.y(high) - 6), Point(at.x(30), at.y(high) - 60)
    moved = high if magnet is not Magnet.OFF else at.price(near.y)
    assert snapped(near, at, magnet) == pytest.approx(moved)
    away = high if magnet is Magnet.STRONG else at.price(far.y)
    assert snapped(far, at, magnet) == pytest.approx(away)
    assert snapped(Point(at.x(70), 50), at, magnet) == at.price(50)  # no bar there


@settings(max_examples=40)
@given(st.floats(-500, 500), st.floats(-500, 500))
def test_straight_directions_are_multiples_of_45_degrees(x, y):
    origin = Point(100.0, 100.0)
    made = straightened(origin, origin.by(x, y))
    across, down = abs(made.x - 100), abs(made.y - 100)
    assert min(across, down, abs(across - down)) < 1e-6
    assert made.far(origin) <= origin.far(origin.by(x, y)) + 1e-9


def test_a_hidden_level_is_not_drawn():
    row = tool("fib-retracement")
    level = row.style.levels[0]
    style = msgspec.structs.replace(
        row.style, levels=(msgspec.structs.replace(level, shown=False), *row.style.levels[1:])
    )
    names = [s.name for s in picture(drawn(row, style=style), Pane()).strokes]
    assert "0" not in names and "0.5" in names


@pytest.mark.parametrize("row", [LONG, SHORT])
@pytest.mark.parametrize("last", [-30, 0, 20, 59, 79])
def test_words_of_a_position_stay_inside_of_the_pane_while_it_is_seen(row, last: int) -> None:
    pane = Pane()
    spots = ((last - 2, 150.0), (last, 140.0), (last, 198.0))
    made = picture(drawn(row, spots=spots), pane)
    boxes = [box_of(label, pane) for label in made.labels]
    assert len(boxes) == 3
    inside = [pane.pane.left <= box.left and box.right <= pane.pane.right for box in boxes]
    assert all(inside) == (last >= 0)  # what is not seen writes nothing at the edge
    assert last < 0 or all(box.top >= 0.0 and box.bottom <= 400.0 for box in boxes)


def test_in_a_small_pane_the_words_of_a_position_are_short() -> None:
    pane, row = Pane(), position(LONG, 150.0, 140.0, 170.0)
    assert "₹" in picture(row, pane).labels[0].text
    pane.pane = pane.pane._replace(right=230.0)
    assert [label.text for label in picture(row, pane).labels] == [
        "Target 170.00", "Stop 140.00", "Long 150.00",
    ]  # fmt: skip


def test_big_amounts_are_grouped_as_the_window_does_it() -> None:
    row = position(LONG, 100.0, 98.0, 106.0, risk=1_000_000.0, lot=75.0)
    texts = " ".join(label.text for label in picture(row, Pane()).labels)
    assert words.signed(-0.001, 2) == words.signed(0.0, 2) == "0.00"
    assert "+29,99,700 ₹" in texts and "-9,99,900 ₹" in texts and "Qty 4,99,950" in texts


@pytest.mark.parametrize("scale", ["linear", "inverted"])
@pytest.mark.parametrize("row", [LONG, SHORT])
def test_stop_and_target_are_named_outside_of_their_zones(row, scale: str) -> None:
    pane, side = Pane(scale), 1 if row is LONG else -1
    made = picture(position(row, 150.0, 150.0 - 10 * side, 150.0 + 20 * side), pane)
    target, stop, _ = (box_of(label, pane) for label in made.labels)
    zones = sorted(pane.y(price) for price in (150.0 - 10 * side, 150.0 + 20 * side))
    for box in (target, stop):
        assert box.bottom <= zones[0] or box.top >= zones[1]
