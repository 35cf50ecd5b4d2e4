"""The schemes that come with the package: each module reads the answers of one kind of registry."""
