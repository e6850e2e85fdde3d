"""An order from beginning to end with the public client: pip install openalgo"""

import os
import time

from openalgo import api

client = api(
    api_key=os.environ["OPENALGO_KEY"],
    host=os.environ.get("OPENALGO_URL", "http://127.0.0.1:5000"),
    ws_url=os.environ.get("OPENALGO_WS", "ws://127.0.0.1:8765"),
)
order = client.placeorder(
    strategy="first order",
    symbol="SBIN",
    exchange="NSE",
    action="BUY",
    price_type="MARKET",
    product="MIS",
    quantity=10,
)
print("placed", order["orderid"])

for _ in range(50):
    state = client.orderstatus(order_id=order["orderid"], strategy="first order")["data"]
    if state["order_status"] != "open":
        break
    time.sleep(0.1)
print(state["order_status"], "at", state["average_price"])

held = client.openposition(strategy="first order", symbol="SBIN", exchange="NSE", product="MIS")
print("position", held["quantity"])
print(client.closeposition(strategy="first order")["message"])
