"""Run the program with `python -m ontofetch_catalog`."""

import sys

from .host.app import main

if __name__ == "__main__":
    sys.exit(main())
