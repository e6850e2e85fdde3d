"""Docks and dialogs, a room for each subject; a room lists its docks in ``KINDS``."""
