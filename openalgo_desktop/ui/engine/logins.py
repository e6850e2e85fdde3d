"""What the login dialog is made from: a broker's declared fields. Imported with that dialog, for
the kit is heavy."""

from __future__ import annotations

from openalgo_desktop.brokers.kit.spec import Field, Login

__all__ = ["Field", "Login"]
