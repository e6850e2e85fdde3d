"""Symbol masters: download, reading, lookups, names of indices, contract sizes."""
