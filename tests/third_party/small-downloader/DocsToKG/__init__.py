"""The names of another project's downloader, for tests."""
