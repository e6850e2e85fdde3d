"""Runs in a side environment: Dhan's own feed parsers over frames given as hex texts.

In: {"frames": [hex], "seconds": float, "kind": str}; ``kind`` "depth20" and "depth200" go to the
parser of deeper books. Out: {"ticks": [...]}: of each frame what the maker reads in it; or, with
``seconds``, {"rate": packets per second}. The market parser reads the first packet of a frame only,
so it gets each packet by itself. The modules are loaded by path: their package wants more than is
installed here.
"""

import importlib.util
import json
import sys
import time
from pathlib import Path
from types import ModuleType

SIZES = {2: 16, 4: 50, 5: 12, 6: 16, 7: 8, 8: 162, 50: 10}


def module(name: str) -> ModuleType:
    home = importlib.util.find_spec("dhanhq")
    assert home is not None and home.origin is not None
    found = importlib.util.spec_from_file_location(name, Path(home.origin).with_name(f"{name}.py"))
    assert found is not None and found.loader is not None
    made = importlib.util.module_from_spec(found)
    found.loader.exec_module(made)
    return made


class Context:
    """What the maker's classes ask for their address."""

    def get_client_id(self) -> str:
        return "1"

    def get_access_token(self) -> str:
        return "t"


def packets(frame: bytes) -> list[bytes]:
    """The packets of a frame."""
    found, at = [], 0
    while at < len(frame):
        size = SIZES[frame[at]]
        found.append(frame[at : at + size])
        at += size
    return found


def main() -> None:
    request = json.load(sys.stdin)
    frames = [bytes.fromhex(text) for text in request["frames"]]
    kind = request.get("kind", "")
    if kind.startswith("depth"):
        deep = module("fulldepth").FullDepth(Context(), [], int(kind[5:]))

        def read(frame: bytes) -> list[object]:
            found = []
            left = frame
            while left:
                update = deep.process_data(left)
                left = update.pop("remaining_data")
                found.append(update)
            return found
    else:
        feed = module("marketfeed").MarketFeed(Context(), [])
        frames = [packet for frame in frames for packet in packets(frame)]

        def read(frame: bytes) -> list[object]:
            return [feed.process_data(frame)]

    if not request.get("seconds"):
        json.dump({"ticks": [read(frame) for frame in frames]}, sys.stdout)
        return
    best, end = 0.0, time.perf_counter() + request["seconds"]
    while time.perf_counter() < end:
        done, started = 0, time.process_time()
        for frame in frames:
            done += len(read(frame))
        best = max(best, done / (time.process_time() - started))
    json.dump({"rate": best}, sys.stdout)


main()
