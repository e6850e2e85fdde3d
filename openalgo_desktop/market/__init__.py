"""Market data between the data account and everybody who reads it."""
