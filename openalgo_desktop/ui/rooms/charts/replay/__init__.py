"""Bar replay on charts: the strip that moves it, practice lines, what a chart does meanwhile."""
