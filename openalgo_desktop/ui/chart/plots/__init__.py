"""Studies and compared series: arrays beside the bars, drawn by the words of their outputs."""
