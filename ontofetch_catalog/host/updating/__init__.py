"""Many releases at once: the series of a sources file, the rows of a list, what a lock file names."""
