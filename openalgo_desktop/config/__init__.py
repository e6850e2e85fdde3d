"""Settings, the owner's operations, bundled files, private files: what every room may know."""
