"""The widget that draws a chart: panes, a kept picture of what is closed, mouse and keys."""
