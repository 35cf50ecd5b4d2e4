"""What is inside files: the entries of archives, the names of formats; read only, for the host and for the catalog."""
