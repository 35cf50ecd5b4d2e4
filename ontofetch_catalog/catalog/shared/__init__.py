"""Where the bytes of a shared catalog are kept: objects in a bucket or in a folder that several machines see."""
