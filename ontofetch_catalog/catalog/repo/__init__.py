"""The SQL of the catalog, by subject; every module takes a connection and returns plain values or Arrow tables."""
