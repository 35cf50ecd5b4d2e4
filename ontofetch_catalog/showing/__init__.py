"""Show a catalog to others: a static site of all of it, and documents about one release in the words of standards."""
