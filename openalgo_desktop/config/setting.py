"""One row of the table of settings: key, default, type, range, help."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from openalgo_desktop.core.errors import ConfigError
from openalgo_desktop.core.numbers import number, whole


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table; ``choices`` or ``low``/``high`` bound a value of type ``kind``."""

    key: str
    default: Any
    help: str
    kind: Callable[[Any], Any] = str  # a type, or a function that checks a text
    choices: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None
    group: str = "General"
    restart: bool = False  # takes effect at the next start
    grouped: bool = True  # 12,345; not for numbers that are names, such as ports
    former: tuple[str, ...] = ()  # names that it had: what is stored under them is carried over

    def parse(self, value: Any) -> Any:
        """The typed value, from itself or from text; raises :class:`ConfigError`."""
        try:
            result = self._convert(value)
        except (TypeError, ValueError):
            kind = self.kind.__name__.replace("_", " ")
            raise ConfigError(f"Setting {self.key}: {value!r} is not a valid {kind}.") from None
        except ConfigError as error:
            raise ConfigError(f"Setting {self.key}: {error.message}") from None
        if self.choices and result not in self.choices:
            options = ", ".join(map(str, self.choices))
            raise ConfigError(f"Setting {self.key}: {value!r} must be one of: {options}.")
        if (self.low is not None and result < self.low) or (
            self.high is not None and result > self.high
        ):
            raise ConfigError(
                f"Setting {self.key}: {value!r} must be between {self.low} and {self.high}."
            )
        return result

    def _convert(self, value: Any) -> Any:
        if self.kind is bool:
            if isinstance(value, bool):
                return value
            text = str(value).strip().lower()
            if text in ("1", "true", "yes", "on"):
                return True
            if text in ("0", "false", "no", "off"):
                return False
            raise ValueError(value)
        if self.kind is float:
            return number(value)
        if self.kind is int:
            return whole(value)
        return self.kind(value)
