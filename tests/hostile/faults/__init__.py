"""The planted faults: what is taken out, defence by defence, in the order of docs/security.md."""

from . import archives, servers, shown, surroundings

FAULTS = (*surroundings.FAULTS, *archives.FAULTS, *servers.FAULTS, *shown.FAULTS)
