"""Load the resolvers of others, at import, and let none of them be a reason to stop."""

import logging
from importlib.metadata import entry_points

RESOLVERS = {}

for point in entry_points(group="docstokg.ontofetch.resolver"):
    try:
        candidate = point.load()
        resolver = candidate() if isinstance(candidate, type) else candidate
        resolver.plan  # noqa: B018 - what has none is none
        RESOLVERS[getattr(resolver, "NAME", point.name)] = resolver
    except Exception as error:  # noqa: BLE001 - as the large one does
        logging.getLogger(__name__).warning("resolver plugin %s failed: %s", point.name, error)
