"""One catalog for many machines: PostgreSQL keeps the order of boundaries, an object store the bytes, each root a copy."""
