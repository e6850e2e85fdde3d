"""Writes the sounds of the window (``resources/sounds/*.wav``): short tones, ours.

    python packaging/make_sounds.py

16-bit mono at 22,050 Hz. The same script gives the same bytes.
"""

from __future__ import annotations

import math
import struct
import wave
from pathlib import Path

RATE = 22_050
#: Name, then tones: frequency in hertz (0 is a pause), length in seconds.
SOUNDS: dict[str, tuple[tuple[float, float], ...]] = {
    "fill": ((659.3, 0.07), (987.8, 0.13)),  # up: done
    "partial": ((659.3, 0.08),),
    "reject": ((311.1, 0.12), (0.0, 0.04), (233.1, 0.2)),  # down: refused
    "stop": ((880.0, 0.07), (0.0, 0.03), (880.0, 0.07), (0.0, 0.03), (587.3, 0.16)),
    "alert": ((784.0, 0.1), (0.0, 0.05), (784.0, 0.1)),
    "disconnect": ((440.0, 0.12), (349.2, 0.12), (261.6, 0.22)),
}
LOUD, FADE = 0.45, 0.012


def tone(frequency: float, seconds: float) -> list[int]:
    """One tone with soft ends and a little of the octave above."""
    count = int(RATE * seconds)
    fade = int(RATE * FADE)
    values = []
    for at in range(count):
        edge = min(1.0, at / fade, (count - 1 - at) / fade)
        turn = 2.0 * math.pi * frequency * at / RATE
        values.append(int(32_767 * LOUD * edge * (0.8 * math.sin(turn) + 0.2 * math.sin(2 * turn))))
    return values


def main() -> None:
    """Write all files."""
    folder = Path(__file__).resolve().parents[1] / "resources" / "sounds"
    folder.mkdir(exist_ok=True)
    for name, tones in SOUNDS.items():
        samples = [value for frequency, seconds in tones for value in tone(frequency, seconds)]
        with wave.open(str(folder / f"{name}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(struct.pack(f"<{len(samples)}h", *samples))


if __name__ == "__main__":
    main()
