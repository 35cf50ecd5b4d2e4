"""The command `show`: what a word means to the catalog, by what the word is.

Each kind of thing has a module of its own; what it prints is not known here.
"""

from __future__ import annotations

from ontofetch_hookspecs import HostInfo, take_common_options


def main(argv: list[str], host: HostInfo) -> int:
    """Show a term, named by IRI or CURIE.

    Raises:
        UsageError: The catalog has nothing of that name.
    """
    from .show_term import show_term

    argv, host = take_common_options(argv, host)
    return show_term(argv, host)
