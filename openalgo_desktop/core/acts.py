"""What the window may ask about before it does it, and how often."""

from __future__ import annotations

from enum import StrEnum


class Act(StrEnum):
    """What may be asked about; the value is the end of its setting, ``confirm.<value>``."""

    PLACE = "place"
    MODIFY = "modify"
    DRAG = "drag"
    CANCEL = "cancel"
    CANCEL_ALL = "cancel_all"
    CLOSE = "close"
    REVERSE = "reverse"
    CONVERT = "convert"
    FLATTEN = "flatten"
    BASKET = "basket"


class Asking(StrEnum):
    """How often."""

    ALWAYS = "always"
    LIMITS = "above limits"
    NEVER = "never"
