"""The embedded host: a small downloader that knows the contract and not the catalog."""
