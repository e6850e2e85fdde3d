"""Takes secrets out of text that leaves the program: logs, diagnostics, error reports."""

from __future__ import annotations

import re

MASK = "***"
#: Shorter texts (a PIN, "1234") would blank out harmless words; field names catch those.
MIN_KNOWN = 6

_NAMES = (
    r"api[_-]?key|apikey|api[_-]?secret|app[_-]?secret|secret(?:[_-]?key)?|password|passwd|pwd"
    r"|pass[_-]?phrase|pin|mpin|totp|otp|two[_-]?fa|auth(?:orization)?|bearer|cookie|checksum"
    r"|enctoken|(?:access|refresh|request|feed|auth|session|bot|public)[_-]?token|token"
    r"|session[_-]?id|private[_-]?key"
)
#: A text without any of these has no such name: it is not searched for them, which takes longest.
_STEMS = (
    *("key", "secret", "pass", "pwd", "pin", "otp", "two", "auth", "bearer", "cookie"),
    *("checksum", "token", "session"),
)
#: What may stand before a name, as in BROKER_API_KEY. Bounded: a line of dashes and underscores
#: would be tried from each of them to its end.
_PREFIX = r"(?:[\w-]{0,48}[_-])?"
#: (pattern, replacement): a value after the name of a secret.
_NAMED: tuple[tuple[re.Pattern[str], str], ...] = (
    # "name": "value"  'name': 'value'  (JSON and repr)
    (
        re.compile(
            rf"""(?i)(["'])({_PREFIX}(?:{_NAMES}))\1(\s*[:=]\s*)(?:"[^"]*"|'[^']*'|[\w.+/=-]+)"""
        ),
        rf"\1\2\1\3{MASK}",
    ),
    # name=value  name: value  &name=value
    (
        re.compile(rf"""(?i)\b({_PREFIX}(?:{_NAMES}))(\s*[=:]\s*)["']?[^\s"'&,;)}}\]*]+["']?"""),
        rf"\1\2{MASK}",
    ),
)
#: (pattern, replacement): shapes that are secrets.
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=:-]{8,}"), rf"\1 {MASK}"),
    (re.compile(r"(?i)\b(token)\s+\w{4,}:\w{4,}"), rf"\1 {MASK}"),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"), MASK),  # JSON web tokens
    (re.compile(r"(?<!\d)\d{8,12}:[\w-]{30,}"), MASK),  # Telegram bot tokens
    (re.compile(r"\b[0-9a-fA-F]{64}\b"), MASK),  # our API keys, SHA-256 of secrets
    (re.compile(r"(?<=://)[^\s/:@]+:[^\s/@]+(?=@)"), MASK),  # user:password@host
)


class Redactor:
    """Knows shapes of secrets and the texts it was told; ``clean`` blanks both."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add(self, text: str) -> None:
        """This text is a secret from now on."""
        if len(text) >= MIN_KNOWN and text not in self._known:
            self._known.add(text)
            longest_first = sorted(self._known, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def clean(self, text: str) -> str:
        """``text`` with every secret replaced by ``***``."""
        if self._pattern is not None:
            text = self._pattern.sub(MASK, text)
        lower = text.casefold()
        rules = (*_RULES, *_NAMED) if any(stem in lower for stem in _STEMS) else _RULES
        for pattern, replacement in rules:
            text = pattern.sub(replacement, text)
        return text
