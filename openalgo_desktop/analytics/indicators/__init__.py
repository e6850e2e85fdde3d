"""Studies of charts (indicators) behind one registry; each is a small graph of arrays."""
