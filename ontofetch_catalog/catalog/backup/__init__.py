"""Backups: a consistent copy of a catalog, with or without its files, checked and signed; and bringing one back."""

from .listing import list_backups
from .manifest import Manifest
from .restore import Restored, restore
from .write import Backup, back_up

__all__ = ["Backup", "Manifest", "Restored", "back_up", "list_backups", "restore"]
