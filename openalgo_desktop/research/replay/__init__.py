"""Bar replay: charts go back to a moment of the past and live from there on, at any speed, with a
practice account of their own.

Nothing here knows a gateway, the sandbox or the hub: what is traded in a replay stays in it
(import-linter keeps it so). A replay lives in memory and ends with the program.
"""
