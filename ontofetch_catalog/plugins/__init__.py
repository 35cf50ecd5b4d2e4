"""The plugins a host loads; each imports its machinery only when it is called."""
