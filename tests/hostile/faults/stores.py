"""Plant faults in what makes a store of a stranger harmless: how it is opened, what its rows and documents may say."""

from __future__ import annotations

from .fault import fault, of

PATHS, STAGES = "hookspecs/ontofetch_hookspecs/store_paths.py", "hookspecs/ontofetch_hookspecs/stages.py"
CATALOG = "ontofetch_catalog/catalog/"
EFFECTS, CONNECTION, JOURNAL, SESSIONS, LOCKS, KEY, SWAP = (
    f"{CATALOG}{name}.py" for name in ("effects", "connection", "journal", "sessions", "locks", "store_key", "swap")
)
GENERATION, CARE, DEFINITIONS = (f"{CATALOG}{name}.py" for name in ("generation", "repo/care", "repo/definitions"))
PLAN, STEPS, MANIFEST, SOURCES = (
    f"{CATALOG}{name}.py" for name in ("prune/plan", "prune/steps", "backup/manifest", "backup/sources")
)
STORE = "tests/catalog/test_foreign_store.py::test_"
OUTSIDE = STORE + "nothing_outside_of_a_foreign_store_is_touched"
OPENED = "tests/hookspecs/test_store_paths.py::test_"
HOSTILE = OPENED + "a_hostile_document_is_an_error_at_once"
FORGED, EDITED = "tests/catalog/prune/test_plan.py::test_", "tests/catalog/prune/test_steps.py::test_"
BACKUP, RULE = "tests/catalog/test_backup.py::test_", "tests/test_layers.py::test_the_rule_holds_everywhere"

# links are followed, by whichever call, and what a link leads to is what is there
FOLLOW = (
    (PATHS, "    flags |= os.O_NOFOLLOW | os.O_CLOEXEC\n", "    return os.open(relpath, (flags | os.O_CLOEXEC) & ~os.O_NOFOLLOW, mode, dir_fd=top)\n"),
    (PATHS, "return os.stat(name, dir_fd=folder, follow_symlinks=False)", "return os.stat(name, dir_fd=folder)"),
    (PATHS, "    if entry.is_dir(follow_symlinks=False):\n        return stat.S_IFDIR\n    if entry.is_file(follow_symlinks=False):\n", "    if entry.is_dir():\n        return stat.S_IFDIR\n    if entry.is_file():\n"),
)  # fmt: skip

FAULTS = (
    fault("links are followed", *FOLLOW, tests=of(OUTSIDE, "link/.catalog")),
    fault(
        "what is no regular file is opened, and waited for",
        (PATHS, "flags | os.O_NONBLOCK, mode)", "flags, mode)"),
        (PATHS, "        if not stat.S_ISREG(os.fstat(descriptor).st_mode):\n            os.close(descriptor)\n", "        if False:\n            os.close(descriptor)\n"),
        tests=of(OUTSIDE, "pipe/record"),
    ),
    fault(
        "the database is opened whatever it is",
        (CONNECTION, "        if not fits(state.st_mode):\n", "        if False:\n"),
        (CONNECTION, "if before is not None and not _is_opened(target, before):", "if False:"),
        tests=of(OUTSIDE, "link/database", "link/log", "link/spill", "pipe/log"),
    ),
    fault(
        "a document may be of any size, depth and number of values",
        (PATHS, "            data = stream.read(most + 1)\n        if len(data) > most:\n", "            data = stream.read()\n        if False:\n"),
        (PATHS, '    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data\n', "    return json.loads(data)\n    raw = data.encode() if isinstance(data, str) else data\n"),
        tests=of(OUTSIDE, "deep/record", "large/record", "number/record", "nan/record"),
    ),
    fault(
        "rows are believed",
        (CARE, "        if found is not None:\n            raise CatalogUnreadable(", "        if False:\n            raise CatalogUnreadable("),
        tests=of(OUTSIDE, "row/folder-climbs"),
    ),
    fault(
        "a database may reach files",
        (EFFECTS, '    "enable_external_access": False,\n', '    "enable_external_access": True,\n'),
        (SESSIONS, "    differing = definitions.use_own_views(connection)\n", "    differing: list[str] = []\n"),
        tests=of(OUTSIDE, "view/reads", "view/table", "view/order", "macro/function", "macro/delta"),
    ),
    fault(
        "an intent is believed",
        (JOURNAL, "        _check_intent(intent, path)\n", ""),
        tests=of(OUTSIDE, "intent/stage"),
    ),
)
