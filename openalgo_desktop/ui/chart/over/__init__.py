"""What lies over the bars and moves with the mouse and the last price."""
