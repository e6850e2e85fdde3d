"""The window's side of the engine: loop, frames, the bridge and one door per room of the engine."""
