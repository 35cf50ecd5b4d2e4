"""The catalog: boundaries over database and disk, and the maintenance of both."""
