"""The catalog: boundaries over database and disk, and the care for both."""
