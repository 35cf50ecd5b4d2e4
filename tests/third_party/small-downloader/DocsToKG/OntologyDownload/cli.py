"""The command line of the small downloader."""

import json
import sys


def cli_main(argv=None):
    """Pull what a JSON file lists, or say which words came."""
    words = list(argv or sys.argv[1:])
    if words[0] == "pull":
        from .planning import fetch_all

        with open(words[1], encoding="utf-8") as stream:
            print(json.dumps(fetch_all(json.load(stream), accept_failures="--accept-failures" in words)))
        return 0
    if words[0] == "latest":
        from .planning import STORAGE

        STORAGE.set_latest_version(*words[1:])
        return 0
    print(json.dumps(["theirs", *words]))
    return 7
