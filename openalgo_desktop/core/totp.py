"""Time-based one-time codes (RFC 6238, SHA-1, six digits, half a minute)."""

from __future__ import annotations

import base64
import hmac
import re
import struct

from openalgo_desktop.core.errors import BadCredentials

PERIOD = 30


def totp(secret: str, now: float, digits: int = 6, period: int = PERIOD) -> str:
    """The code of a base32 ``secret`` at epoch second ``now``. Raises :class:`BadCredentials`
    for a secret that is not base32."""
    cleaned = re.sub(r"[\s-]", "", secret).upper()
    try:
        key = base64.b32decode(cleaned + "=" * (-len(cleaned) % 8))
    except ValueError:
        raise BadCredentials(
            "The TOTP secret is not base32 text. Copy it again from the broker's page.",
            field="totp_secret",
        ) from None
    digest = hmac.digest(key, struct.pack(">Q", int(now) // period), "sha1")
    offset = digest[-1] & 15
    code = struct.unpack_from(">I", digest, offset)[0] & 0x7FFFFFFF
    return str(code % 10**digits).zfill(digits)
