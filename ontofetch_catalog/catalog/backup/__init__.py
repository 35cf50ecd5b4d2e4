"""Backups: a consistent copy of a catalog, with or without its files, checked and signed; and bringing one back."""

from .copying import Backup
from .listing import list_backups
from .manifest import Manifest
from .restore import restore
from .restored import Restored
from .write import back_up

__all__ = ["Backup", "Manifest", "Restored", "back_up", "list_backups", "restore"]
