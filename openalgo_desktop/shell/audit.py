"""``audit``: search or export the audit trail."""

from __future__ import annotations

import argparse
from datetime import timedelta

from openalgo_desktop.core.clock import SystemClock, api_timestamp
from openalgo_desktop.shell.options import run_async, terminal_options
from openalgo_desktop.storage.audit import AuditTrail
from openalgo_desktop.storage.database import Database
from openalgo_desktop.storage.datadir import DataDirectory


def run(args: argparse.Namespace) -> int:
    """Print or export entries."""
    return run_async(_audit(args))


async def _audit(args: argparse.Namespace) -> int:
    options = terminal_options(args)
    directory = DataDirectory(options.data_dir)
    directory.create()
    start = SystemClock(options.clock_start).now() - timedelta(days=args.days)
    database = Database(directory.database_url)
    await database.start()
    try:
        trail = AuditTrail(database)
        if args.csv is not None:
            count = await trail.export_csv(args.csv, args.text, who=args.who, start=start)
            print(f"{count} entries written to {args.csv}")
            return 0
        rows = await trail.search(args.text, who=args.who, start=start, limit=args.limit)
    finally:
        await database.stop()
    for row in reversed(rows):
        words = (row.who, row.mode, row.what, row.subject, row.detail, row.answer)
        print(api_timestamp(row.at), *(word for word in words if word), sep="  ")
    return 0
