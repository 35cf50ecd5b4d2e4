"""The commands that the plugins contribute, and how rows are printed."""
