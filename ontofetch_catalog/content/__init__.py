"""What is inside files: archives, names of formats, versions and facts; read only, for the host and for the catalog."""
