"""How the catalog is entered: the gate, the file, its generation record, its schema, what dead processes left.

What is done inside is not known here.
"""

from typing import TYPE_CHECKING

from ontofetch_hookspecs.later import names_later

if TYPE_CHECKING:
    from .building import build
    from .readers import asking, inspecting, pending, reading, refresh
    from .session import Session, event_of, new_boundary_id, reopened, utc_now
    from .writers import has_open, make_store, writing
else:
    # whoever only reads needs none of what writers do: each comes when somebody asks for it (PEP 562)
    _MODULES = {
        "building": "build",
        "readers": "asking inspecting pending reading refresh",
        "session": "Session event_of new_boundary_id reopened utc_now",
        "writers": "has_open make_store writing",
    }
    __getattr__ = names_later(__name__, globals(), _MODULES)


__all__ = [
    "Session",
    "asking",
    "build",
    "event_of",
    "has_open",
    "inspecting",
    "make_store",
    "new_boundary_id",
    "pending",
    "reading",
    "refresh",
    "reopened",
    "utc_now",
    "writing",
]
