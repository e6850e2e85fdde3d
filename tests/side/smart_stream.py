"""Runs in a side environment: Angel One's own parser of Smart Stream over packets as hex texts.

In: {"frames": [hex], "seconds": float}. Out: {"ticks": [tick]}, or with ``seconds`` {"rate":
packets per second}, the best of all rounds by processor time. The parser's module is loaded by its
path: the package calls out on import, and the class makes folders for logs.
"""

import importlib.util
import json
import sys
import time
from pathlib import Path


def parser():
    """The method that reads one message."""
    package = importlib.util.find_spec("SmartApi")
    path = Path(package.submodule_search_locations[0]) / "smartWebSocketV2.py"
    spec = importlib.util.spec_from_file_location("smart_stream_v2", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return object.__new__(module.SmartWebSocketV2)._parse_binary_data


def main() -> None:
    request = json.load(sys.stdin)
    frames = [bytes.fromhex(text) for text in request["frames"]]
    parse = parser()
    if not request.get("seconds"):
        answer = {"ticks": [parse(frame) for frame in frames]}
    else:
        best, end = 0.0, time.perf_counter() + request["seconds"]
        while time.perf_counter() < end:
            started = time.process_time()
            for frame in frames:
                parse(frame)
            best = max(best, len(frames) / (time.process_time() - started))
        answer = {"rate": best}
    json.dump(answer, sys.stdout)


main()
