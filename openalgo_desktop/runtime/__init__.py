"""Terminal and what it is made of: accounts, logs, the owner's commands."""
