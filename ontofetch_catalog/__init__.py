"""Keep a catalog of ontology releases in step with the files on disk, and report over it."""
