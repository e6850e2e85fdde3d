"""What the owner's commands do in a running terminal: one function for each row of
``operations.py``."""
