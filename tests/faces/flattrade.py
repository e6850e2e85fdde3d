"""Flattrade: a code as the browser's callback brings it."""

from tests.emulators.noren_files import FLATTRADE
from tests.faces._noren import face

FACE = face(FLATTRADE)
