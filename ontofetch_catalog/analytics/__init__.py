"""Reports over the catalog."""
