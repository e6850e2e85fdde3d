"""HTTP to a broker: requests, replies, errors, limits, and the languages of the tables."""
