"""Drawings on charts: what they are, the tools as tables, their geometry, their values in time.

Pure: no I/O, no Qt. ``model`` has the words, ``tools`` the tables by family, ``geometry`` turns a
drawing into strokes and texts of pixels, ``values`` asks the same geometry for prices at a moment,
``book`` keeps the drawings of all symbols.
"""
