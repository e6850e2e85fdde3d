"""What the owner can do with hosted programs from the command line."""

from __future__ import annotations

from openalgo_desktop.config.operation import Field, Guard, Operation

Op, F = Operation, Field
_PROGRAM = F("name", "name of the program, or its id", metavar="NAME")

STRATEGY_OPERATIONS: tuple[Operation, ...] = (
    Op(
        "strategy",
        "add",
        "take in a Python file, a folder with an entry point, or sample:NAME",
        (
            F("path", "file, folder, or sample:NAME", "path", metavar="PATH"),
            F("name", "its name here; without it that of the file", option=True, required=False),
            F("link", "use it where it is; without it a copy is kept", "flag", option=True),
        ),
        changes=True,
    ),
    Op("strategy", "samples", "programs to read and to start from"),
    Op("strategy", "list", "all programs and how they are doing"),
    Op("strategy", "show", "one program with its schedule, quotas and parameters", (_PROGRAM,)),
    Op(
        "strategy",
        "start",
        "start a program; live only after promote",
        (_PROGRAM, F("mode", "sandbox or live", option=True, choices=("sandbox", "live"))),
        changes=True,
    ),
    Op(
        "strategy",
        "stop",
        "end its processes",
        (
            _PROGRAM,
            F("square_off", "close what it holds, too", "flag", option=True),
            F("leave", "leave what it holds, whatever at_stop says", "flag", option=True),
        ),
        Guard.FREE,
        changes=True,
    ),
    Op("strategy", "restart", "apply what was edited: stop and start", (_PROGRAM,), changes=True),
    Op(
        "strategy",
        "logs",
        "what it printed",
        (
            _PROGRAM,
            F("run", "id of a run; without it the last one", option=True, required=False),
            F("lines", "how many lines (200)", "int", option=True, required=False),
            F("search", "only lines that contain this", option=True, required=False),
            F("follow", "go on with what comes", "flag", option=True),
        ),
        more="tail",
    ),
    Op("strategy", "tail", "more of a log", (F("token", "of the answer before"),), hidden=True),
    Op("strategy", "runs", "its runs and how they ended", (_PROGRAM,)),
    Op("strategy", "record", "what it did in the sandbox", (_PROGRAM,)),
    Op(
        "strategy",
        "promote",
        "let it trade live, as it is now",
        (_PROGRAM, F("digest", "content that you looked at", option=True, required=False)),
        Guard.PASSWORD,
        changes=True,
        confirm="May this program trade with real money from now on, as it is now?",
        preview="record",
        seen="digest",
    ),
    Op("strategy", "demote", "only in the sandbox again", (_PROGRAM,), changes=True),
    Op(
        "strategy",
        "schedule",
        "when it runs by itself; without options: show it",
        (
            _PROGRAM,
            F("on", "follow the schedule", "flag", option=True),
            F("off", "follow it no more", "flag", option=True),
            F("days", "such as MON,TUE,WED", option=True, required=False),
            F("window", "HH:MM-HH:MM IST, may be repeated", "list", option=True, required=False),
            F("all_day", "around the clock, every day", "flag", option=True),
            F("expiry_of", "only on expiry days of this underlying", option=True, required=False),
            F("any_day", "not only on expiry days", "flag", option=True),
            F(
                "mode",
                "mode of scheduled starts",
                option=True,
                required=False,
                choices=("sandbox", "live"),
            ),
            F(
                "at_end",
                "what the end of a window does",
                option=True,
                required=False,
                choices=("stop", "square-off", "leave"),
            ),
            F("late", "minutes for which a missed start is made up", option=True, required=False),
        ),
        changes=True,
    ),
    Op(
        "strategy",
        "set",
        "change a quota, a parameter or how it is treated",
        (
            _PROGRAM,
            F("key", "such as quotas.day_loss, parameters.fast, on_crash", metavar="KEY"),
            F("value", "new value; empty is the default", required=False, metavar="VALUE"),
        ),
        changes=True,
    ),
    Op(
        "strategy",
        "remove",
        "stop and forget a program, its copy and its logs",
        (_PROGRAM,),
        changes=True,
        confirm="Remove this program, the copy of its files and its logs?",
    ),
)
