"""Run the program with `python -m ontofetch_catalog`."""

import sys

# `-m` puts the current folder first: what lies there may come from a stranger and bear the name of any module. If the
# package itself was found there, all that could be forged has been run already.
if not sys.flags.safe_path and sys.path[0] != __file__.rpartition("/ontofetch_catalog/")[0]:
    del sys.path[0]

from .host.app import main

if __name__ == "__main__":
    sys.exit(main())
