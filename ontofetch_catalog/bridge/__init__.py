"""Record what DocsToKG's downloader pulls, with nobody calling anything: it loads this as one of its resolvers.

Nothing is imported here that is not needed to load: that happens in each of its validator processes, too.
"""
