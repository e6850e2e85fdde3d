"""The command line. ``main`` reads the arguments with ``parser`` and imports the module of one
command only, so that a small command stays small."""
