"""Pairs: two banks mostly move together. When the ratio of their prices is far from its mean, sell
the dear one and buy the cheap one; close both when it is back, and at 15:10.

How far is counted in standard deviations of the last 60 bars (the z-score). Both orders are *smart*
ones: they say which position is wanted.
"""

import os
import signal
import threading
from datetime import datetime, timedelta, timezone
from statistics import mean, pstdev

from openalgo import api

FIRST, SECOND, EXCHANGE = "HDFCBANK", "ICICIBANK", "NSE"
VALUE = 50_000  # rupees on each side
BARS, ENTER, LEAVE = 60, 2.0, 0.5
LAST = "15:10"  # before brokers close intraday positions themselves
NAME = os.getenv("STRATEGY_NAME", "Pairs")
IST = timezone(timedelta(hours=5, minutes=30))

stop = threading.Event()


def z_score(first, second, bars):
    """How far the last ratio is from its mean, in standard deviations; None: not known."""
    ratios = [a / b for a, b in zip(first[-bars:], second[-bars:], strict=False)]
    if len(ratios) < bars or pstdev(ratios) == 0:
        return None
    return (ratios[-1] - mean(ratios)) / pstdev(ratios)


def decide(score, held):
    """The side of the first share that is wanted: -1 (it is dear), +1 (it is cheap) or 0."""
    if score is None:
        return held
    if held == 0:
        return -1 if score >= ENTER else 1 if score <= -ENTER else 0
    return 0 if abs(score) <= LEAVE else held


def frames_of(client):
    """Closes of the finished bars of both, for the times that both have."""
    today = datetime.now(IST).date()
    found = []
    for symbol in (FIRST, SECOND):
        frame = client.history(
            symbol=symbol,
            exchange=EXCHANGE,
            interval="15m",
            start_date=str(today - timedelta(days=14)),
            end_date=str(today),
        )
        if isinstance(frame, dict):
            print("no bars:", frame.get("message"))
            return [], []
        found.append(dict(zip(frame.index, map(float, frame["close"]), strict=True)))
    times = sorted(set(found[0]) & set(found[1]))[:-1]
    return [found[0][at] for at in times], [found[1][at] for at in times]


def order(client, symbol, target, held):
    """Make the position of one share what is wanted. Returns whether it is, or will be."""
    if target == held:
        return True  # a smart order to 0 where nothing is held would be an entry
    answer = client.placesmartorder(
        strategy=NAME,
        symbol=symbol,
        exchange=EXCHANGE,
        action="BUY" if target > held else "SELL",
        price_type="MARKET",
        product="MIS",
        quantity=abs(target - held),
        position_size=target,
    )
    print(f"{symbol}: {target:+d}", answer)
    return answer.get("status") == "success"


def step(client, held, sizes):
    """Look once. ``held`` is the side of the first share, ``sizes`` the units of both while
    something is held. Returns both as they are now."""
    first, second = frames_of(client)
    wanted = decide(z_score(first, second, BARS), held)
    if wanted == held:
        return held, sizes
    if wanted:
        sizes = (max(1, int(VALUE / first[-1])), max(1, int(VALUE / second[-1])))
    if not order(client, FIRST, wanted * sizes[0], held * sizes[0]):
        return held, sizes
    if not order(client, SECOND, -wanted * sizes[1], -held * sizes[1]):
        order(client, FIRST, held * sizes[0], wanted * sizes[0])  # one leg alone is no pair
        return held, sizes
    return wanted, sizes


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
    """What is held already, as ``step`` returns it: a program that is started again goes on with
    it. Half a pair counts as the whole: it is closed with it."""
    first, second = held_of(client, FIRST), held_of(client, SECOND)
    side = (first > 0) - (first < 0) or (second < 0) - (second > 0)
    return side, (abs(first), abs(second))


def close(client, held, sizes):
    """Both legs to nothing."""
    order(client, FIRST, 0, held * sizes[0])
    order(client, SECOND, 0, -held * sizes[1])


def main():
    client = api(
        api_key=os.getenv("OPENALGO_API_KEY"),
        host=os.getenv("OPENALGO_HOST", "http://127.0.0.1:5000"),
    )
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    held, sizes = held_now(client)
    while not stop.is_set():
        if f"{datetime.now(IST):%H:%M}" >= LAST:
            close(client, held, sizes)
            return
        held, sizes = step(client, held, sizes)
        stop.wait(30)


if __name__ == "__main__":
    main()
