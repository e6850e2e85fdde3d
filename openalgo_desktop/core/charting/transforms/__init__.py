"""Other kinds of bars made of candles: Heikin-Ashi, Renko, Kagi, point and figure, line break,
range bars. ``registry`` has the table of them."""
