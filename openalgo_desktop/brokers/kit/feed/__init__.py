"""Market and order feeds: connections, codecs, watchdogs."""
