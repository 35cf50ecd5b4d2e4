"""What any command has in common: how its words are read, and how rows and sentences are printed."""
