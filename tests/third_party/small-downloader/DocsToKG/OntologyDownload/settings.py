"""Where the downloader keeps its tree."""

import os
import shutil
from pathlib import Path

DATA_ROOT = Path(os.environ.get("PYSTOW_HOME", Path.home() / ".data")) / "ontology-fetcher"
LOCAL_ONTOLOGY_DIR = DATA_ROOT / "ontologies"
LOCAL_ONTOLOGY_DIR.mkdir(parents=True, exist_ok=True)


class LocalStorageBackend:
    """A tree on this machine."""

    def __init__(self, root):
        self.root = root

    def version_path(self, ontology_id, version):
        """Return the folder of a release."""
        return self.root / ontology_id / version

    def finalize_version(self, ontology_id, version, local_dir):
        """Do nothing: everything is in its place."""

    def set_latest_version(self, ontology_id, version):
        """Point `latest` at a release."""
        link = self.root / ontology_id / "latest"
        link.unlink(missing_ok=True)
        link.symlink_to(version, target_is_directory=True)


class FsspecStorageBackend(LocalStorageBackend):
    """A tree that is mirrored elsewhere."""

    def finalize_version(self, ontology_id, version, local_dir):
        """Copy a release to the mirror."""
        mirror = Path(os.environ["ONTOFETCH_STORAGE_URL"]) / ontology_id / version
        shutil.copytree(local_dir, mirror, dirs_exist_ok=True)


def get_storage_backend():
    """Return the backend that the environment wants."""
    backend = FsspecStorageBackend if os.environ.get("ONTOFETCH_STORAGE_URL") else LocalStorageBackend
    return backend(LOCAL_ONTOLOGY_DIR)


STORAGE = get_storage_backend()
