"""Sells the at-the-money call and put of NIFTY and guards each with a stop 30 % above its price.

Selling options can lose more than it can win: try this in the sandbox. It enters once a day, at
09:20 or when it is started later, puts the stops into the market, and closes what is left at 15:10.
That it has entered is kept in a file of its own, so that it does not enter again after a crash.
"""

import os
import signal
import threading
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

from openalgo import api

UNDERLYING, EXCHANGE = "NIFTY", "NSE_INDEX"
LOTS = 1
STOP_PERCENT = 30
ENTRY, LAST = "09:20", "15:10"  # before brokers close intraday positions themselves
NAME = os.getenv("STRATEGY_NAME", "Short straddle")
IST = timezone(timedelta(hours=5, minutes=30))

stop = threading.Event()


def stop_price(average, percent, tick=0.05):
    """The trigger of the stop of an option that was sold at ``average``, on the tick."""
    return round(round(average * (1 + percent / 100) / tick) * tick, 2)


def good(answer):
    """Whether an answer is a success; prints why not."""
    if answer.get("status") == "success":
        return True
    print("refused:", answer.get("message"))
    return False


def nearest_expiry(client):
    """The next expiry of the options, such as 28-NOV-26, as DDMMMYY."""
    answer = client.expiry(symbol=UNDERLYING, exchange="NFO", instrumenttype="options")
    return answer["data"][0].replace("-", "").upper() if good(answer) else ""


def choose(client, expiry):
    """Call and put of one strike, each with its quantity; empty where they are not found. NIFTY may
    cross the middle between two strikes while we ask: then once more."""
    for _ in range(5):
        legs = []
        for option_type in ("CE", "PE"):
            chosen = client.optionsymbol(
                underlying=UNDERLYING,
                exchange=EXCHANGE,
                expiry_date=expiry,
                offset="ATM",
                option_type=option_type,
            )
            if not good(chosen):
                return []
            legs.append((chosen["symbol"], int(chosen["lotsize"]) * LOTS))
        if legs[0][0][:-2] == legs[1][0][:-2]:
            return legs
    return []


def sell(client, symbol, quantity):
    """Sell one leg; returns its symbol, quantity and average price, or None."""
    answer = client.placeorder(
        strategy=NAME,
        symbol=symbol,
        exchange="NFO",
        action="SELL",
        price_type="MARKET",
        product="MIS",
        quantity=quantity,
    )
    if not good(answer):
        return None
    for _ in range(50):  # a market order fills at once, or in a moment
        data = client.orderstatus(order_id=answer["orderid"], strategy=NAME).get("data", {})
        if data.get("order_status") == "complete":
            return symbol, quantity, float(data["average_price"])
        if data.get("order_status") in ("rejected", "cancelled"):
            print(symbol, "was", data["order_status"])
            return None
        time.sleep(0.2)
    return None


def guard(client, symbol, quantity, average):
    """A resting stop that buys the option back. Returns whether it was taken."""
    answer = client.placeorder(
        strategy=NAME,
        symbol=symbol,
        exchange="NFO",
        action="BUY",
        price_type="SL",
        product="MIS",
        quantity=quantity,
        trigger_price=stop_price(average, STOP_PERCENT),
        price=stop_price(average, STOP_PERCENT * 1.2),
    )
    print(f"{symbol} sold at {average:.2f}, stop at {stop_price(average, STOP_PERCENT):.2f}")
    return good(answer)


def enter(client):
    """Both legs with their stops; a leg without a stop is not kept."""
    chosen = choose(client, nearest_expiry(client))
    for symbol, quantity in chosen:
        leg = sell(client, symbol, quantity)
        if leg is None or not guard(client, *leg):
            print("not complete: everything is closed")
            leave(client)
            return False
    return bool(chosen)


def leave(client):
    """Take the stops back and close what is left; only this program's own."""
    good(client.cancelallorder(strategy=NAME))
    good(client.closeposition(strategy=NAME))


def due(clock, entered):
    """What is to be done at ``clock`` (HH:MM): enter, leave or wait."""
    if clock >= LAST:
        return "leave"
    return "enter" if clock >= ENTRY and not entered else "wait"


def mark_of(day):
    """The file that says that it has entered on a day. HOME is the program's own and stays."""
    return Path.home() / f"straddle-{day}"


def main():
    client = api(
        api_key=os.getenv("OPENALGO_API_KEY"),
        host=os.getenv("OPENALGO_HOST", "http://127.0.0.1:5000"),
    )
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    mark = mark_of(datetime.now(IST).date())
    if mark.exists():
        print("it has entered today already: it looks after nothing but the close")
    while not stop.is_set():
        what = due(f"{datetime.now(IST):%H:%M}", mark.exists())
        if what == "enter":
            mark.touch()  # once, whatever becomes of it
            if not enter(client):
                return
        if what == "leave":
            leave(client)
            return
        stop.wait(5)
    leave(client)  # it was asked to end: there is time for that


if __name__ == "__main__":
    main()
