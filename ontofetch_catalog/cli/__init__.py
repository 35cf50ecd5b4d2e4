"""The commands that the plugins contribute."""
