"""The built-in broker: a simulated market that needs no network, with its own order account."""
