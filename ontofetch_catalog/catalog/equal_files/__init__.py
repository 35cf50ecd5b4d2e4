"""Equal files stored once: by which way, and how two of them become one."""
