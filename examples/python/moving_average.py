"""A bot in fifty lines, with nothing but Python: goes long while the last close is above the
average of the last candles, flat below. A smart order says the wanted position, so that sending it
again does nothing."""

import datetime
import json
import os
import sys
import time
import urllib.request

URL = os.environ.get("OPENALGO_URL", "http://127.0.0.1:5000")
KEY = os.environ["OPENALGO_KEY"]
SYMBOL = {"symbol": "SBIN", "exchange": "NSE"}
QUANTITY, CANDLES = 10, 20
IST = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
# No proxy: the program is on this machine.
http = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def call(endpoint: str, **fields: object) -> dict:
    body = json.dumps({"apikey": KEY, **fields}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{URL}/api/v1/{endpoint}", body, headers)
    with http.open(request, timeout=30) as answer:
        return json.load(answer)


def wanted() -> int:
    today = datetime.datetime.now(IST).date()
    rows = call(
        "history",
        **SYMBOL,
        interval="5m",
        start_date=str(today - datetime.timedelta(days=5)),
        end_date=str(today),
    )["data"]
    closes = [row["close"] for row in rows[-CANDLES:]]
    return QUANTITY if closes and closes[-1] > sum(closes) / len(closes) else 0


def main(rounds: int) -> None:
    for number in range(rounds):
        if number:
            time.sleep(60)
        target = wanted()
        answer = call(
            "placesmartorder",
            strategy="moving average",
            **SYMBOL,
            action="BUY",
            product="MIS",
            pricetype="MARKET",
            quantity=0,
            position_size=target,
        )
        print("target", target, answer.get("orderid") or answer["message"])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
