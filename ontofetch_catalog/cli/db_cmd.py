"""The table of the verbs of `ontofetch db` and their order in the help.

Every verb has a module of its own that is imported when the verb runs; what a verb does is not known here.
"""

from __future__ import annotations

from functools import partial

from ontofetch_hookspecs import Command, HostInfo, collect, load_target

from ..console.parser import Family, hand_out
from ..console.quiet import take_options
from ..errors import EXIT_OK, UsageError
from ..guesses import did_you_mean
from ..rendering.text import safe_text
from .common import profiled, running

_CLI = "ontofetch_catalog.cli"
# verb → (one line of help, where its `main(argv, host) -> exit code` is)
VERBS = {
    "status": ("what the catalog holds and in which state it is", f"{_CLI}.db_state:status"),
    "versions": ("list releases in the order of their series", f"{_CLI}.db_query:versions"),
    "files": ("list the files of a release", f"{_CLI}.db_query:files"),
    "stats": ("sum up releases: files, bytes, formats, validation", f"{_CLI}.db_query:stats"),
    "find": ("find a content by its sha256, or a path", f"{_CLI}.db_query:find"),
    "delta": ("compare two releases file by file", f"{_CLI}.db_query:delta"),
    "events": ("list what was recorded, newest first", f"{_CLI}.db_query:events"),
    "latest": ("show, set or list latest pointers", f"{_CLI}.db_latest:main"),
    "backup": ("copy the catalog, with or without its files", f"{_CLI}.db_backup:backup"),
    "restore": ("bring the catalog back from a backup", f"{_CLI}.db_backup:restore"),
    "verify": ("hash files again and compare them with the catalog", f"{_CLI}.db_verify:main"),
    "facts": ("find what files say of terms, where that is not recorded", f"{_CLI}.db_facts:main"),
    "share": ("store once what releases have in common", f"{_CLI}.db_share:main"),
    "refresh": ("compute the sums of releases once, for a while", f"{_CLI}.db_refresh:main"),
    "prune": ("remove files without a row, and releases by policy, by a plan", f"{_CLI}.db_prune:main"),
    "pin": ("keep a release from ever being pruned", f"{_CLI}.db_pin:main"),
    "migrate": ("bring the schema up to date", f"{_CLI}.db_state:migrate"),
    "doctor": ("reconcile the catalog and the disk, and mend what is asked for", f"{_CLI}.db_doctor:main"),
    "rebuild": ("make the catalog anew from the disk alone", f"{_CLI}.db_rebuild:main"),
    "import": ("take in what other programs have put on disk", f"{_CLI}.db_import:main"),
    "move": ("carry the catalog to a shared one, or back", f"{_CLI}.shared_cmd:move"),
    "sweep": ("free the bytes of a shared catalog that no path has", f"{_CLI}.shared_cmd:sweep"),
    "hold": ("keep what a backup of a shared catalog names, and let go of it", f"{_CLI}.db_hold:main"),
    "recover": ("end what a dead process left open", f"{_CLI}.db_state:recover"),
}
ALIASES = {"list": "versions"}


def main(argv: list[str], host: HostInfo) -> int:
    """Run one verb of `ontofetch db` and return its exit code.

    Raises:
        UsageError: There is no such verb.
    """
    argv, host = take_options(argv, host)
    verb = argv[0] if argv else "--help"
    if verb in ("-h", "--help", "help"):
        hand_out(Family("VERB", [(name, text, partial(_run, name, [], host)) for name, (text, _) in VERBS.items()]))
        print(_help(host.name))  # noqa: T201 - the help is what was asked for
        return EXIT_OK
    verb = ALIASES.get(verb, verb)
    if verb not in VERBS:
        otherwise = f"`{host.name} db --help` lists the verbs, `{host.name} --help` the other commands."
        if verb in collect(host.manager, "register_commands", Command):
            otherwise = f"Did you mean `{host.name} {verb}`?"
        raise UsageError(
            f"There is no `{host.name} db {safe_text(verb)}`.",
            subject=verb,
            hint=did_you_mean(verb, (*VERBS, *ALIASES), otherwise),
        )
    return _run(verb, argv[1:], host)


def _run(verb: str, words: list[str], host: HostInfo) -> int:
    target = load_target(VERBS[verb][1])
    if not callable(target):
        raise UsageError(f"The verb {verb!r} can't be called.", subject=verb)
    with running(f"db {verb}"):
        return profiled(words, lambda: int(target(words, host)))


def _help(name: str) -> str:
    width = max(len(verb) for verb in VERBS) + 2
    also = {verb: f" (also: {alias})" for alias, verb in ALIASES.items()}
    lines = [f"  {verb:<{width}}{text}{also.get(verb, '')}" for verb, (text, _) in VERBS.items()]
    return "\n".join(
        [
            f"usage: {name} db VERB …",
            "",
            "Look at the catalog and care for it.",
            "",
            *lines,
            "",
            f"`{name} db VERB --help` shows the options of a verb and an example.",
            f"example: {name} db versions pypi/brickschema",
        ]
    )
