"""The planted faults: what is taken out, defence by defence, in the order of docs/security.md."""

from . import archives, executors, servers, shared, shown, sources, stores, surroundings, together, trees

FAULTS = (
    *surroundings.FAULTS,
    *sources.FAULTS,
    *stores.FAULTS,
    *trees.FAULTS,
    *archives.FAULTS,
    *servers.FAULTS,
    *executors.FAULTS,
    *shared.FAULTS,
    *shown.FAULTS,
    *together.FAULTS,
)
