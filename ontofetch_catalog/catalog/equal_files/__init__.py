"""Equal files stored once: by which way, how two of them become one, and the run over what is there."""
