"""Prices and order updates over the WebSocket server: pip install websockets"""

import asyncio
import json
import os

from websockets.asyncio.client import connect

SYMBOLS = [{"symbol": "SBIN", "exchange": "NSE"}, {"symbol": "NIFTY", "exchange": "NSE_INDEX"}]


async def main(ticks: int) -> None:
    async with connect(os.environ.get("OPENALGO_WS", "ws://127.0.0.1:8765")) as socket:
        for message in (
            {"action": "authenticate", "api_key": os.environ["OPENALGO_KEY"]},
            {"action": "subscribe_orders"},
            {"action": "subscribe", "mode": "LTP", "symbols": SYMBOLS},
        ):
            await socket.send(json.dumps(message))
        async for text in socket:
            frame = json.loads(text)
            if frame.get("type") == "market_data":
                print(frame["exchange"], frame["symbol"], frame["data"]["ltp"])
                ticks -= 1
            else:
                print(frame)
            if not ticks:
                return


if __name__ == "__main__":
    asyncio.run(main(ticks=int(os.environ.get("TICKS", "20"))))
