"""Make rows from what lies on disk: read the documents of releases, adopt what has none, build a whole catalog anew."""
