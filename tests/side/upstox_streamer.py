"""Runs in a side environment: the maker's own streamer over frames given as hex texts.

In: {"frames": [hex], "seconds": float}. Out: {"messages": [message]}, or with ``seconds`` {"rate":
instruments per second}, the best of all rounds by processor time. Its REST client is left
out.
"""

import importlib.util
import json
import sys
import time
import types

package = types.ModuleType("upstox_client")
package.__path__ = list(importlib.util.find_spec("upstox_client").submodule_search_locations)
sys.modules["upstox_client"] = package
client = types.ModuleType("upstox_client.api_client")
client.ApiClient = object
sys.modules["upstox_client.api_client"] = client

from upstox_client.feeder import MarketDataStreamerV3  # noqa: E402


def main() -> None:
    request = json.load(sys.stdin)
    frames = [bytes.fromhex(text) for text in request["frames"]]
    messages = []
    streamer = MarketDataStreamerV3()
    streamer.on("message", messages.append)
    if not request.get("seconds"):
        for frame in frames:
            streamer.handle_message(None, frame)
        answer = {"messages": messages}
    else:
        best, end = 0.0, time.perf_counter() + request["seconds"]
        while time.perf_counter() < end:
            messages.clear()
            started = time.process_time()
            for frame in frames:
                streamer.handle_message(None, frame)
            spent = time.process_time() - started
            best = max(best, sum(len(m["feeds"]) for m in messages) / spent)
        answer = {"rate": best}
    json.dump(answer, sys.stdout)


main()
