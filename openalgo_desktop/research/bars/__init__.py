"""One store of bars behind charts, alerts and replay.

:mod:`store` keeps what a source gave and for which times (in memory, and on disk through
:mod:`files`), :mod:`loads` asks for what is missing, :mod:`live` builds the forming bars of every
tick, :mod:`service` puts the three together as :class:`BarSource`. Times of ranges are those of
:class:`Bars`: epoch seconds, for a day and longer midnight UTC of the IST date.
"""
