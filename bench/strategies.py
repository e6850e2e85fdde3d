"""Twenty hosted strategies at once on the simulator, beside one script that sends the same load.

Each strategy is a process of its own with the public client: it listens to prices of three symbols
and places a limit order far from the market, then cancels it, at its own beat. Reported: CPU and
memory of the engine, latency of ``placeorder`` as the scripts see it, memory of a script.

    .venv/bin/python bench/strategies.py [--strategies 20] [--seconds 60] [--every 2.0]
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.e2e.driver import Program  # noqa: E402

SCRIPT = """
import os, threading, time
from openalgo import api

EVERY, THREADS = {every}, {threads}
client = api(api_key=os.environ["OPENALGO_API_KEY"], host=os.environ["OPENALGO_HOST"],
             ws_url=os.environ["OPENALGO_WS_URL"])
client.connect()
client.subscribe_ltp([{{"exchange": "NSE", "symbol": s}} for s in ("SBIN", "INFY", "RELIANCE")],
                     on_data_received=lambda tick: None)

def trade(number):
    time.sleep(EVERY * number / THREADS)
    while True:
        began = time.monotonic()
        answer = client.placeorder(strategy="bench", symbol="SBIN", exchange="NSE", action="BUY",
                                   price_type="LIMIT", product="MIS", quantity=1, price=300.0)
        took = time.monotonic() - began
        if answer.get("status") == "success":
            print("took", round(took * 1000, 3), time.time(), flush=True)
            client.cancelorder(order_id=answer["orderid"], strategy="bench")
        else:
            print("refused", answer, flush=True)
        time.sleep(max(0.0, EVERY - (time.monotonic() - began)))

for number in range(THREADS):
    threading.Thread(target=trade, args=(number,), daemon=True).start()
threading.Event().wait()
"""


def ask(program: Program, operation: str, /, **arguments: Any) -> dict[str, Any]:
    """An operation of the owner's door."""
    told = json.loads((program.data_dir / "running.json").read_text())
    where = urlsplit(told["control_url"])
    connection = http.client.HTTPConnection("127.0.0.1", where.port, timeout=300)
    headers = {"X-OpenAlgo-Owner": told["control_token"], "Content-Type": "application/json"}
    body = json.dumps({"args": arguments})
    connection.request("POST", f"/owner/{operation.replace(' ', '/')}", body, headers)
    answer: dict[str, Any] = json.loads(connection.getresponse().read())
    connection.close()
    if answer["status"] != "success":
        raise SystemExit(answer["message"])
    return answer


def cpu_of(pid: int) -> float:
    """Seconds of processor that a process has used (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> float:
    """Its memory, MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def measure(scripts: int, threads: int, every: float, seconds: float) -> dict[str, float]:
    """One engine with so many scripts of so many threads each."""
    with tempfile.TemporaryDirectory() as folder:
        program = Program(Path(folder) / "data", "--sim-rate", "500")
        with program:
            path = Path(folder) / "bench.py"
            path.write_text(SCRIPT.format(every=every, threads=threads))
            names = [f"bench {number}" for number in range(scripts)]
            for name in names:
                ask(program, "strategy add", path=str(path), name=name)
                ask(
                    program, "strategy set",
                    name=name, key="quotas.orders_per_minute", value="6000",
                )  # fmt: skip
            for name in names:
                ask(program, "strategy start", name=name, mode="sandbox")
            time.sleep(5 + scripts / 4)  # interpreters and imports
            cpu = cpu_of(program.pid)
            began, at = time.monotonic(), time.time()
            time.sleep(seconds)
            spent = cpu_of(program.pid) - cpu
            lasted = time.monotonic() - began
            memory = resident(program.pid)
            rows = ask(program, "strategy list")["rows"]
            took, refused = [], 0
            for name in names:
                text = ask(program, "strategy logs", name=name, lines=5000)["text"]
                words = [line.split() for line in text.splitlines()]
                took += [
                    float(row[2])
                    for row in words
                    if len(row) > 3 and row[1] == "took" and float(row[3]) >= at
                ]
                refused += sum(len(row) > 1 and row[1] == "refused" for row in words)
            took.sort()
    return {
        "orders": len(took),
        "refused": refused,
        "CPU %": 100 * spent / lasted,
        "memory MiB": memory,
        "script MiB": statistics.mean(float(row["memory"].split()[0]) for row in rows),
        "p50 ms": took[len(took) // 2],
        "p99 ms": took[int(len(took) * 0.99)],
    }


def main() -> None:
    """Both, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--strategies", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--every", type=float, default=2.0)
    args = parser.parse_args()
    many = measure(args.strategies, 1, args.every, args.seconds)
    one = measure(1, args.strategies, args.every, args.seconds)
    print(f"{'':12} {args.strategies:>3} scripts   1 script")
    for name, value in many.items():
        print(f"{name:12} {value:>11.1f} {one[name]:>10.1f}")
    print(f"p99 of the many is {many['p99 ms'] / one['p99 ms']:.2f} times that of the one")


if __name__ == "__main__":
    main()
