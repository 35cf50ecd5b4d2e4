"""How the catalog is entered: the gate, the file, its generation record, its schema, what dead processes left.

What is done inside is not known here.
"""

from .building import build
from .contents import state_of
from .readers import asking, inspecting, pending, reading, refresh
from .session import Session, new_boundary_id, reopened, utc_now
from .writers import has_open, make_store, writing

__all__ = [
    "Session",
    "asking",
    "build",
    "has_open",
    "inspecting",
    "make_store",
    "new_boundary_id",
    "pending",
    "reading",
    "refresh",
    "reopened",
    "state_of",
    "utc_now",
    "writing",
]
