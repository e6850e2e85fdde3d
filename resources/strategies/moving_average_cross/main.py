"""Long while the fast average of closes is above the slow one, short while it is below.

Looks at closed five-minute bars twice a minute. The order is a *smart* one: it says which position
is wanted, and the terminal sends what is missing, so that nothing is bought twice.
"""

import os
import signal
import threading
from datetime import datetime, timedelta, timezone

from openalgo import api

SYMBOL = os.getenv("PARAM_SYMBOL", "SBIN")
EXCHANGE = os.getenv("OPENALGO_STRATEGY_EXCHANGE", "NSE")
QUANTITY = int(os.getenv("PARAM_QUANTITY", "1"))
FAST = int(os.getenv("PARAM_FAST", "9"))
SLOW = int(os.getenv("PARAM_SLOW", "21"))
NAME = os.getenv("STRATEGY_NAME", "Moving average cross")
IST = timezone(timedelta(hours=5, minutes=30))

stop = threading.Event()


def average(values):
    """The mean."""
    return sum(values) / len(values)


def direction(closes, fast, slow):
    """+1 for long, -1 for short, 0 while there are too few closes or both averages are equal."""
    if len(closes) < slow:
        return 0
    quick, calm = average(closes[-fast:]), average(closes[-slow:])
    return (quick > calm) - (quick < calm)


def closes_of(client):
    """Closes of the finished bars of the last days; the last bar is still being made."""
    today = datetime.now(IST).date()
    bars = client.history(
        symbol=SYMBOL,
        exchange=EXCHANGE,
        interval="5m",
        start_date=str(today - timedelta(days=7)),
        end_date=str(today),
    )
    if isinstance(bars, dict):  # an error comes as a dictionary
        print("no bars:", bars.get("message"))
        return []
    return [float(value) for value in bars["close"]][:-1]


def step(client, held):
    """Look once; ``held`` is the direction so far. Returns the direction now."""
    wanted = direction(closes_of(client), FAST, SLOW)
    if wanted in (0, held):
        return held
    answer = client.placesmartorder(
        strategy=NAME,
        symbol=SYMBOL,
        exchange=EXCHANGE,
        action="BUY" if wanted > 0 else "SELL",
        price_type="MARKET",
        product="MIS",
        quantity=QUANTITY,
        position_size=wanted * QUANTITY,
    )
    print("long" if wanted > 0 else "short", answer)
    return wanted if answer.get("status") == "success" else held


def main():
    client = api(
        api_key=os.getenv("OPENALGO_API_KEY"),
        host=os.getenv("OPENALGO_HOST", "http://127.0.0.1:5000"),
    )
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    print(f"{SYMBOL}: averages of {FAST} and {SLOW} bars")
    held = 0
    while not stop.is_set():
        held = step(client, held)
        stop.wait(30)


if __name__ == "__main__":
    main()
