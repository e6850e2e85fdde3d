"""The vocabulary of charts: intervals, columns of bars, studies, drawings. Pure: no I/O, no Qt."""
