"""A small downloader; importing it imports nothing else, as the large one does."""
