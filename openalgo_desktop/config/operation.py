"""One thing that the owner of a terminal can do from the command line. Nothing is imported here but
the standard library, for small commands must stay small.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Guard(StrEnum):
    """What the app lock asks before an operation, as the window does; nothing without a lock."""

    FREE = "free"  # always: what closes positions gets out, and what shows no more than a lamp
    UNLOCKED = "unlocked"  # the password while the program is locked
    PASSWORD = "password"  # the password each time


@dataclass(frozen=True, slots=True)
class Field:
    """One argument. ``kind`` is ``text``, ``path`` (seen from the folder of the command), ``int``,
    ``flag``, ``list`` or ``secret``; a positional argument of the command unless ``option``. A
    secret is no argument, for those are seen by others: it is asked at the prompt or read from
    standard input, one line."""

    name: str
    help: str
    kind: str = "text"
    option: bool = False
    required: bool = True
    choices: tuple[str, ...] = ()
    metavar: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing to do. ``confirm`` is asked at a prompt unless ``--yes``; ``offline`` ones also
    work on the data folder when no engine runs; ``hidden`` ones are for other commands."""

    group: str
    verb: str
    help: str
    fields: tuple[Field, ...] = ()
    guard: Guard = Guard.UNLOCKED
    changes: bool = False  # written to the audit trail
    confirm: str = ""
    offline: bool = False
    hidden: bool = False
    #: Verb (same group) whose answer is shown before ``confirm``; the ``next`` of that answer is
    #: handed over as the argument ``seen``.
    preview: str = ""
    seen: str = ""
    #: Hidden verb that goes on, with the argument ``token``, while an answer has a ``next``.
    more: str = ""

    @property
    def name(self) -> str:
        """``group verb``."""
        return f"{self.group} {self.verb}"
