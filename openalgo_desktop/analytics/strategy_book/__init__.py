"""The book of each strategy: positions, results and curve over days, from executions."""
