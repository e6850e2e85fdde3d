"""What studies are written with: nodes, windows, recursions, and the graph that runs them."""
