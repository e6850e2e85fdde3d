"""Prints each price of two shares as it arrives; trades nothing.

The smallest useful program: it shows how a program finds its key, how it hears prices, and how it
ends when it is asked to.
"""

import os
import signal
import threading

from openalgo import api

SYMBOLS = [
    {"exchange": "NSE", "symbol": "SBIN"},
    {"exchange": "NSE", "symbol": "RELIANCE"},
]

stop = threading.Event()


def line(tick):
    """One price as a line of text."""
    data = tick.get("data", tick)
    return f"{tick.get('exchange', '')}:{tick.get('symbol', '')} {float(data['ltp']):.2f}"


def show(tick):
    """Called by the client for each price."""
    print(line(tick))


def main():
    # The host gives each program a key of its own and tells it where the terminal answers.
    client = api(
        api_key=os.getenv("OPENALGO_API_KEY"),
        host=os.getenv("OPENALGO_HOST", "http://127.0.0.1:5000"),
        ws_url=os.getenv("OPENALGO_WS_URL", "ws://127.0.0.1:8765"),
    )
    signal.signal(signal.SIGTERM, lambda *_: stop.set())  # the polite request to end
    client.connect()
    client.subscribe_ltp(SYMBOLS, on_data_received=show)
    print("listening; stop the program to end")
    stop.wait()
    client.unsubscribe_ltp(SYMBOLS)
    client.disconnect()


if __name__ == "__main__":
    main()
