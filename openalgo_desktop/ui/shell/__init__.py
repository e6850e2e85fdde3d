"""The main window and what belongs to no single subject: toolbar, status bar, commands, lock."""
