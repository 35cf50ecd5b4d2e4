<<<<<<< HEAD
"""One catalog for many machines: PostgreSQL keeps the order of boundaries, an object store the bytes, each root a copy."""
=======
"""Where the bytes of a shared catalog are kept: objects in a bucket or in a folder that several machines see."""
>>>>>>> part-s
