"""Tradesmart: a code as the browser's callback brings it."""

from tests.emulators.noren_files import TRADESMART
from tests.faces._noren import face

FACE = face(TRADESMART, whole=False)
