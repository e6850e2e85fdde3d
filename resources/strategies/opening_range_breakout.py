"""Opening-range breakout: after the first 15 minutes, go with the first close outside their range.

One trade a day. The stop is the other side of the range; whatever is left is closed at 15:10.
"""

import os
import signal
import threading
from datetime import datetime, timedelta, timezone

from openalgo import api

SYMBOL, EXCHANGE, QUANTITY = "RELIANCE", "NSE", 1
RANGE_BARS = 3  # three bars of five minutes
LAST = "15:10"  # everything is closed at this time
NAME = os.getenv("STRATEGY_NAME", "Opening range breakout")
IST = timezone(timedelta(hours=5, minutes=30))

stop = threading.Event()


def decide(bars, position, traded, clock):
    """The position that is wanted: +1, 0 or -1.

    ``bars`` are (high, low, close) of the finished bars of today, ``position`` is what is held,
    ``traded`` says whether today's trade was made, ``clock`` is the time as HH:MM.
    """
    if clock >= LAST or len(bars) <= RANGE_BARS:
        return 0
    high = max(bar[0] for bar in bars[:RANGE_BARS])
    low = min(bar[1] for bar in bars[:RANGE_BARS])
    close = bars[-1][2]
    if position > 0:
        return 0 if close < low else 1
    if position < 0:
        return 0 if close > high else -1
    if traded:
        return 0
    return (close > high) - (close < low)


def bars_of(client, now):
    """Today's finished bars."""
    day = str(now.date())
    frame = client.history(
        symbol=SYMBOL, exchange=EXCHANGE, interval="5m", start_date=day, end_date=day
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


def held_now(client):
    """The side of what is held already: a program that is started again goes on with it."""
    units = held_of(client, SYMBOL)
    return (units > 0) - (units < 0)


def step(client, position, traded, now):
    """Look once; returns what is held and whether the trade of the day was made."""
    wanted = decide(bars_of(client, now), position, traded, f"{now:%H:%M}")
    if wanted == position:
        return position, traded
    answer = client.placesmartorder(
        strategy=NAME,
        symbol=SYMBOL,
        exchange=EXCHANGE,
        action="BUY" if wanted > position else "SELL",
        price_type="MARKET",
        product="MIS",
        quantity=QUANTITY,
        position_size=wanted * QUANTITY,
    )
    print(f"{now:%H:%M} from {position} to {wanted}:", answer)
    if answer.get("status") != "success":
        return position, traded
    return wanted, True


def main():
    client = api(
        api_key=os.getenv("OPENALGO_API_KEY"),
        host=os.getenv("OPENALGO_HOST", "http://127.0.0.1:5000"),
    )
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    print(f"{SYMBOL}: range of the first {RANGE_BARS * 5} minutes")
    position = held_now(client)
    traded = position != 0
    while not stop.is_set():
        position, traded = step(client, position, traded, datetime.now(IST))
        stop.wait(15)


if __name__ == "__main__":
    main()
