"""A plugin by somebody else, as a distribution of its own."""
