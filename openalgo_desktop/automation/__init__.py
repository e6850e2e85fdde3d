"""What acts or tells by itself while the program runs."""
