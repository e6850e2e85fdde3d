"""Follows the supertrend of 15-minute bars: long while it is below the price, short while above.

The supertrend is a band of some average ranges around the middle of the bar. It only moves towards
the price, and changes its side when a close passes it. At 15:10 it closes what it holds and ends.
"""

import os
import signal
import threading
from datetime import datetime, timedelta, timezone

from openalgo import api

SYMBOL, EXCHANGE, QUANTITY = "INFY", "NSE", 1
PERIOD, WIDTH = 10, 3.0
LAST = "15:10"  # before brokers close intraday positions themselves
NAME = os.getenv("STRATEGY_NAME", "Supertrend")
IST = timezone(timedelta(hours=5, minutes=30))

stop = threading.Event()


def supertrend(bars, period, width):
    """The direction after the last bar: +1 up, -1 down, 0 while there are too few bars.

    ``bars`` are (high, low, close), oldest first.
    """
    if len(bars) <= period:
        return 0
    trend, upper, lower = 1, None, None
    ranges = []
    for (high, low, close), before in zip(bars[1:], bars, strict=False):
        last = before[2]
        ranges.append(max(high - low, abs(high - last), abs(low - last)))
        if len(ranges) < period:
            continue
        span = width * sum(ranges[-period:]) / period
        middle = (high + low) / 2
        new_upper, new_lower = middle + span, middle - span
        # A band moves away from the price only when a close has passed it.
        upper = new_upper if upper is None or last > upper else min(upper, new_upper)
        lower = new_lower if lower is None or last < lower else max(lower, new_lower)
        if close > upper:
            trend = 1
        elif close < lower:
            trend = -1
    return trend


def bars_of(client):
    """Finished bars of the last two weeks."""
    today = datetime.now(IST).date()
    frame = client.history(
        symbol=SYMBOL,
        exchange=EXCHANGE,
        interval="15m",
        start_date=str(today - timedelta(days=14)),
        end_date=str(today),
    )
    if isinstance(frame, dict):
        print("no bars:", frame.get("message"))
        return []
    rows = zip(frame["high"], frame["low"], frame["close"], strict=True)
    return [(float(h), float(low), float(c)) for h, low, c in rows][:-1]


def held_of(client, symbol):
    """Units that the program holds of a share; asked until it is known. Just after a start of the
    terminal it may not be."""
    while not stop.is_set():
        answer = client.openposition(strategy=NAME, symbol=symbol, exchange=EXCHANGE, product="MIS")
        if answer.get("status") == "success":
            return int(answer["quantity"])
        print("what is held is not known yet:", answer.get("message"))
        stop.wait(2)
    return 0


def step(client, held):
    """Look once; returns what is held now (+1, -1, 0)."""
    wanted = supertrend(bars_of(client), PERIOD, WIDTH)
    return held if wanted in (0, held) else move(client, held, wanted)


def move(client, held, wanted):
    """Make the position what is wanted (+1, -1, 0); returns what it is then."""
    if wanted == held:
        return held  # a smart order to 0 where nothing is held would be an entry
    answer = client.placesmartorder(
        strategy=NAME,
        symbol=SYMBOL,
        exchange=EXCHANGE,
        action="BUY" if wanted > held else "SELL",
        price_type="MARKET",
        product="MIS",
        quantity=QUANTITY,
        position_size=wanted * QUANTITY,
    )
    print(f"from {held} to {wanted}:", answer)
    return wanted if answer.get("status") == "success" else held


def main():
    client = api(
        api_key=os.getenv("OPENALGO_API_KEY"),
        host=os.getenv("OPENALGO_HOST", "http://127.0.0.1:5000"),
    )
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    units = held_of(client, SYMBOL)  # a program that is started again goes on with it
    held = (units > 0) - (units < 0)
    while not stop.is_set():
        if f"{datetime.now(IST):%H:%M}" >= LAST:
            move(client, held, 0)
            return
        held = step(client, held)
        stop.wait(30)


if __name__ == "__main__":
    main()
