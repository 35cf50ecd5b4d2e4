"""One catalog for many machines: PostgreSQL keeps the order, an object store the bytes, and each root is a copy."""
