"""Studies that the user writes: declared in a file, computed in a process of their own."""
