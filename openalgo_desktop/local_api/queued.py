"""What waits in the action centre beside the fields of the request."""

from __future__ import annotations

#: Field of a queued payload: the mode in which it was sent.
QUEUED_MODE = "queued_in_mode"
#: The number of the bound key that sent it; absent for a key that is free.
QUEUED_KEY = "queued_by_key"
