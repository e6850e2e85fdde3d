"""The vocabulary of the terminal: pure, no I/O, no Qt, no SQL."""
