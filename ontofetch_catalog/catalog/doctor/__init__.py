"""Reconcile the catalog and the disk: examine a store, name what is wrong, mend what may be mended."""
