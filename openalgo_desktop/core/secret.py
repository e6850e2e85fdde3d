"""Secret values as a type that never formats itself."""

from __future__ import annotations

import hmac


class Secret:
    """Text that must not appear in logs, exceptions, tracebacks or the database.

    ``str``, ``repr`` and formatting show ``***``; pickling is refused. The text leaves only
    through :meth:`reveal`, which a reviewer can grep for.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The plain text. Call it at the wire, nowhere else."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return same_text(self._text, other._text)

    def __hash__(self) -> int:
        return hash(("Secret", self._text))

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a Secret is not serialised")


def same_text(one: str, other: str) -> bool:
    """Whether two texts are equal, in a time that does not tell where they differ; any text may
    come from outside, also one that is not ASCII."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))
