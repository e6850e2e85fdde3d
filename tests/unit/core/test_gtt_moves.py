"""A trigger that is moved on a chart: the request for the broker."""

from __future__ import annotations

from openalgo_desktop.core.enums import Action, GttType, PriceType, Product
from openalgo_desktop.core.gtt import Gtt, GttLeg, moved_leg


def gtt(kind: GttType, *legs: GttLeg, price_type: PriceType = PriceType.LIMIT) -> Gtt:
    return Gtt(
        "7", kind, "SBIN", "NSE", Action.SELL, 20, Product.CNC, price_type, list(legs), strategy="s"
    )


def test_a_limit_keeps_its_distance_from_the_trigger() -> None:
    row = gtt(GttType.SINGLE, GttLeg(800.0, True, 799.0))
    request = moved_leg(row, 0, 790.0, 0.05)
    assert (request.trigger_below, request.trigger_above, request.price) == (790.0, 0.0, 789.0)
    assert (request.action, request.quantity, request.strategy) == (Action.SELL, 20, "s")
    assert row.legs[0].trigger_price == 800.0  # rows are shared


def test_one_leg_of_a_pair_moves_alone() -> None:
    row = gtt(GttType.OCO, GttLeg(780.0, True, 779.5), GttLeg(840.0, False, 839.0))
    request = moved_leg(row, 1, 850.0, 0.05)
    assert (request.trigger_below, request.stoploss) == (780.0, 779.5)
    assert (request.trigger_above, request.target, request.price) == (850.0, 849.0, 0.0)


def test_at_market_there_is_no_limit_and_a_limit_is_a_tick_at_least() -> None:
    market = gtt(GttType.SINGLE, GttLeg(800.0, False), price_type=PriceType.MARKET)
    assert moved_leg(market, 0, 810.0, 0.05).price == 0.0
    cheap = gtt(GttType.SINGLE, GttLeg(2.0, True, 0.5))
    assert moved_leg(cheap, 0, 0.5, 0.05).price == 0.05
