"""Validate a file in a process of its own, which imports the whole downloader."""

import json
import subprocess
import sys


def run_validators(path):
    """Return name → what the validator said."""
    command = [sys.executable, "-m", "DocsToKG.OntologyDownload.worker", str(path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    return {"rdflib": json.loads(told.stdout)}
