"""Plant faults in what makes a store of a stranger harmless: how it is opened, what its rows and documents may say."""

from __future__ import annotations

from .fault import fault, of

PATHS, STAGES, BENEATH, JSON = (
    f"hookspecs/ontofetch_hookspecs/{name}.py" for name in ("store_paths", "stages", "beneath", "json_documents")
)
CATALOG = "ontofetch_catalog/catalog/"
DATABASE, WHOLE, CONNECTION, INTENTS, LOCKS, KEY, SWAP = (
    f"{CATALOG}{name}.py"
    for name in (
        *("fsops/database", "fsops/whole", "connection", "intents"),
        *("locks", "store_key", "swap"),
    )
)
GENERATION, ROW_CHECKS, DEFINITIONS = (
    f"{CATALOG}{name}.py" for name in ("generation", "repo/row_checks", "repo/definitions")
)
REPORTS, QUERIES = f"{CATALOG}repo/reports.py", f"{CATALOG}repo/queries.py"
PLAN, ENTRIES, STEPS, MANIFEST, SOURCES = (
    f"{CATALOG}{name}.py"
    for name in ("prune/plan", "prune/entries", "prune/steps", "backup/manifest", "backup/sources")
)
ARCHIVES = "ontofetch_catalog/content/packed/archives.py"
STORE = "tests/catalog/test_foreign_store.py::test_"
OUTSIDE = STORE + "nothing_outside_of_a_foreign_store_is_touched"
OPENED = "tests/hookspecs/test_store_paths.py::test_"
HOSTILE = OPENED + "a_hostile_document_is_an_error_at_once"
FORGED, EDITED = "tests/catalog/prune/test_plan.py::test_", "tests/catalog/prune/test_steps.py::test_"
BACKUP, RULE = "tests/catalog/test_backup.py::test_", "tests/test_layers.py::test_the_rule_holds_everywhere"

# links are followed, by whichever call, and what a link leads to is what is there
FOLLOW = (
    (
        BENEATH,
        "    flags |= os.O_NOFOLLOW | os.O_CLOEXEC\n",
        "    return os.open(relpath, (flags | os.O_CLOEXEC) & ~os.O_NOFOLLOW, mode, dir_fd=top)\n",
    ),
    (
        PATHS,
        "return os.stat(self.name, dir_fd=folder, follow_symlinks=False)",
        "return os.stat(self.name, dir_fd=folder)",
    ),
    (
        BENEATH,
        (
            "    if entry.is_dir(follow_symlinks=False):\n        return stat.S_IFDIR\n"
            "    if entry.is_file(follow_symlinks=False):\n"
        ),
        "    if entry.is_dir():\n        return stat.S_IFDIR\n    if entry.is_file():\n",
    ),
)
OUT = (PATHS, 'if "" in parts or "." in parts or ".." in parts or "\\0" in self.relpath:', "if False:")
WAIT = (
    (PATHS, "flags | os.O_NONBLOCK, mode)", "flags, mode)"),
    (
        PATHS,
        "        if not stat.S_ISREG(os.fstat(descriptor).st_mode):\n            os.close(descriptor)\n",
        "        if False:\n            os.close(descriptor)\n",
    ),
)

FAULTS = (
    fault(
        "links are followed",
        *FOLLOW,
        tests=(
            *of(
                OUTSIDE,
                *("link/.catalog", "link/intents", "link/staging", "link/backups", "link/log", "link/lock"),
                *("link/restoring", "link/service", "link/ontology", "link/desk", "link/database"),
            ),
            OPENED + "no_part_may_be_a_link",
        ),
    ),
    fault(
        "a link in the way is followed where the system has openat2",
        (BENEATH, "number, resolve = 437, 0x02 | 0x04 | 0x08", "number, resolve = 437, 0x02"),
        tests=of(OPENED + "no_part_may_be_a_link", "a-as the system can", "a/b-as the system can"),
    ),
    fault(
        "a link in the way is followed where it goes part by part",
        (BENEATH, "FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW", "FOLDER = os.O_RDONLY | os.O_DIRECTORY"),
        tests=of(OPENED + "no_part_may_be_a_link", "a-part by part", "a/b-part by part"),
    ),
    fault(
        "a path may lead out",
        OUT,
        tests=(OPENED + "no_path_leads_out",),
    ),
    fault(
        "what is there is written over",
        (PATHS, "os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)", "os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)"),
        (
            BENEATH,
            "    flags |= os.O_NOFOLLOW | os.O_CLOEXEC\n",
            "    if flags & os.O_CREAT:\n        return os.open(relpath, flags, mode, dir_fd=top)\n    flags |= os.O_NOFOLLOW | os.O_CLOEXEC\n",
        ),
        (WHOLE, "_temporary(path)\n    drop_unfinished(path)\n", "_temporary(path)\n"),
        (STAGES, "            with suppress(FileNotFoundError):\n                os.unlink(name, dir_fd=folder)\n", ""),
        tests=(
            OPENED + "what_is_there_is_never_written_over",
            *of(OUTSIDE, "link/record-new"),
            STORE + "a_complete_stage_does_not_let_a_link_be_written_through",
        ),
        note="what a killed process left under such a name is removed before",
    ),
    fault(
        "what is no regular file is opened, and waited for",
        *WAIT,
        tests=(
            *of(OUTSIDE, "pipe/record", "pipe/manifest"),
            OPENED + "nothing_but_a_regular_file_is_opened_as_one",
        ),
    ),
    fault(
        "what DuckDB opens by its name is not looked at",
        (CONNECTION, "        if not fits(state.st_mode):\n", "        if False:\n"),
        tests=of(STORE + "what_duckdb_opens_by_its_name_is_looked_at", "link/log", "link/spill", "pipe/log")
        + of(OUTSIDE, "link/log"),
    ),
    fault(
        "what DuckDB has opened is not looked at",
        (CONNECTION, "    if not _is_ours(target, before):\n", "    if False:\n"),
        tests=(
            *of(STORE + "a_catalog_exchanged_as_it_is_opened_is_left_as_it_is", "db recover", "db status"),
            STORE + "a_catalog_exchanged_as_it_is_made_gets_nothing",
        ),
    ),
    fault(
        "a database is checkpointed as it is closed",
        (DATABASE, '    connection.execute("PRAGMA disable_checkpoint_on_shutdown")\n', ""),
        tests=of(STORE + "a_catalog_exchanged_as_it_is_opened_is_left_as_it_is", "db recover"),
    ),
    fault(
        "a document may be of any size",
        (
            PATHS,
            '            data = b"" if too_large else stream.read(most + 1)\n        if too_large or len(data) > most:\n',
            "            data = stream.read()\n        if False:\n",
        ),
        tests=(OPENED + "a_document_has_a_largest_size", *of(OUTSIDE, "large/record")),
    ),
    fault(
        "a document may be of any depth",
        (JSON, '    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH:\n', "    if False:\n"),
        tests=of(HOSTILE, "closed", "behind text") + of(OUTSIDE, "deep/record"),
    ),
    fault(
        "a document may have any number of values",
        (JSON, '    if raw.count(b"[") + raw.count(b"{") + raw.count(b",") > MAX_VALUES:\n', "    if False:\n"),
        tests=of(HOSTILE, "many objects", "many numbers"),
    ),
    fault(
        "a document may say NaN",
        (JSON, "return json.loads(raw, parse_constant=_no_constant)", "return json.loads(raw)"),
        tests=of(HOSTILE, "NaN", "infinity"),
    ),
    fault(
        "a record may say anything",
        (
            GENERATION,
            "    except (OSError, ValueError, KeyError, TypeError, OverflowError) as caught:\n",
            "    except ZeroDivisionError as caught:\n",
        ),
        tests=of(OUTSIDE, "number/record", "nan/record", "deep/record"),
    ),
    fault(
        "rows are believed",
        (
            ROW_CHECKS,
            "        if found is not None:\n            raise CatalogUnreadable(",
            "        if False:\n            raise CatalogUnreadable(",
        ),
        tests=of(OUTSIDE, "row/time", "row/time-of-file"),
        note="rows whose paths lead out end in a sentence of whatever would open them, without this one, too",
    ),
    fault(
        "a database may reach files, by views of its own",
        (DATABASE, '    "enable_external_access": False,\n', '    "enable_external_access": True,\n'),
        (QUERIES, "else LATEST\n", 'else "v_latest"\n'),
        (
            ROW_CHECKS,
            "        if found is not None:\n            raise CatalogUnreadable(",
            "        if False:\n            raise CatalogUnreadable(",
        ),
        tests=of(OUTSIDE, "view/reads", "view/table"),
        note="our own text of views is what is asked, and none could reach a file",
    ),
    fault(
        "views of a database are believed",
        (QUERIES, "else LATEST\n", 'else "v_latest"\n'),
        tests=(STORE + "a_foreign_view_is_not_asked",),
    ),
    fault(
        "macros of a database come before functions",
        (
            DEFINITIONS,
            "SET search_path = 'system.main,{database}.main'",
            "SET search_path = '{database}.main'",
        ),
        tests=(STORE + "a_foreign_macro_does_not_take_the_name_of_a_function",),
    ),
    fault(
        "a database may reach files, by macros of its own",
        (DATABASE, '    "enable_external_access": False,\n', '    "enable_external_access": True,\n'),
        (
            DEFINITIONS,
            "SET search_path = 'system.main,{database}.main'",
            "SET search_path = '{database}.main'",
        ),
        (
            REPORTS,
            """deltas_of("given_pairs", bounds)""",
            """"version_deltas((SELECT list({'a': a, 'b': b}) FROM given_pairs))\"""",
        ),
        tests=(
            *of(OUTSIDE, "macro/function", "macro/delta"),
            STORE + "a_foreign_macro_does_not_take_the_name_of_a_function",
        ),
        note="our own macros and DuckDB's functions come first, and none could reach a file",
    ),
    fault(
        "macros of a database are asked what changed",
        (
            REPORTS,
            """deltas_of("given_pairs", bounds)""",
            """"version_deltas((SELECT list({'a': a, 'b': b}) FROM given_pairs))\"""",
        ),
        tests=(STORE + "a_foreign_macro_is_not_asked_what_changed",),
    ),
    fault(
        "the settings of a connection can be changed",
        (DATABASE, '    connection.execute("SET lock_configuration = true")\n', "    del connection\n"),
        tests=(STORE + "a_foreign_macro_does_not_take_the_name_of_a_function",),
    ),
    fault(
        "an intent is believed",
        (INTENTS, "        _check_intent(intent, path)\n", ""),
        *FOLLOW,
        tests=of(OUTSIDE, "intent/stage", "intent/undo-link", "intent/types"),
        note="a path of it that leads out can't be opened either",
    ),
    fault(
        "an intent that can't be read is an error",
        (
            INTENTS,
            "    except (OSError, ValueError, KeyError, TypeError, EventError):\n        return None\n",
            "    except ZeroDivisionError:\n        return None\n",
        ),
        tests=of(OUTSIDE, "intent/deep"),
    ),
    fault(
        "an intent that leads out is believed",
        (INTENTS, "        _check_intent(intent, path)\n", ""),
        OUT,
        *FOLLOW,
        tests=of(OUTSIDE, "intent/undo-climbs", "intent/folders"),
        note="a path that leads out is refused wherever it comes from",
    ),
    fault(
        "the digest of a plan is not compared",
        (PLAN, "intact = hmac.compare_digest(told.encode(), _digest(key, found).encode())", "intact = True"),
        tests=of(EDITED + "a_plan_that_was_edited_is_refused", "plan.json"),
    ),
    fault(
        "the entries of a plan are not hashed",
        (
            PLAN,
            'if intact and fsops.hash_file(path.with_name(ENTRIES))[0] == found["entries"]["sha256"]:',
            "if intact:",
        ),
        tests=of(EDITED + "a_plan_that_was_edited_is_refused", "entries.jsonl"),
    ),
    fault(
        "a plan needs no key",
        (PLAN, "        key = read_key(store)\n", "        key = make_key(store)\n"),
        tests=(EDITED + "a_plan_of_another_store_is_refused",),
    ),
    fault(
        "the entries of a plan are believed",
        (
            ENTRIES,
            '    _check_place(as_path(row["path"]))\n    for field in ("size_bytes", "inode", "device", "links"):\n        check_size(field, row[field])\n',
            "",
        ),
        tests=of(
            FORGED + "a_forged_plan_is_refused_before_anything_is_touched",
            *("climbs", "climbs inside", "absolute", "the catalog", "a negative size"),
        ),
    ),
    fault(
        "the key of a store may be known to others",
        (KEY, " or stat.S_IMODE(state.st_mode) & 0o077:", ":"),
        tests=(FORGED + "the_key_is_its_users_alone",),
    ),
    fault(
        "the key of a store is made for all",
        (KEY, "        fsops.set_mode(temporary, 0o600)\n", ""),
        tests=(FORGED + "the_key_is_its_users_alone",),
    ),
    fault(
        "the files of a backup are not compared with its manifest",
        (
            SOURCES,
            "if roll.sha256 != manifest.files_sha256 or listed.hexdigest() != manifest.files_sha256:",
            "if False:",
        ),
        (
            ARCHIVES,
            "if isinstance(error, _DAMAGE) or type(error)",
            "if isinstance(error, ZeroDivisionError) or type(error)",
        ),
        tests=(BACKUP + "damaged_archives_are_refused",),
        note="what is damaged is no archive, or has other files than its manifest says",
    ),
    fault(
        "the paths of a backup are believed",
        (
            MANIFEST,
            '    fault = relpath_fault(path) if isinstance(path, str) else "is no text"\n',
            '    return str(path)\n    fault = relpath_fault(path) if isinstance(path, str) else "is no text"\n',
        ),
        (
            SOURCES,
            "if roll.sha256 != manifest.files_sha256 or listed.hexdigest() != manifest.files_sha256:",
            "if False:",
        ),
        tests=(BACKUP + "an_archive_with_a_hostile_entry_is_refused",),
        note="no manifest says such an entry",
    ),
    fault(
        "a line of a backup may be of any length",
        (SOURCES, "while line := lines.readline(m.MOST_LINE_BYTES):", "while line := lines.readline():"),
        (JSON, '    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH:\n', "    if False:\n"),
        (JSON, '    if raw.count(b"[") + raw.count(b"{") + raw.count(b",") > MAX_VALUES:\n', "    if False:\n"),
        tests=(BACKUP + "a_line_without_an_end_is_refused",),
    ),
    fault(
        "a module opens what lies in a store by its path",
        (
            GENERATION,
            "    try:\n        found: Any = store.generation.read_json()\n",
            "    try:\n        found: Any = json.loads(open(str(store.generation)).read())\n",
        ),
        tests=(
            f"{RULE}[opened_by_name]",
            "tests/test_opening.py::test_nothing_below_the_root_is_opened_by_a_path[as it is]",
        ),
    ),
    fault(
        "a module writes what lies in a store by its path",
        (
            GENERATION,
            "    whole.write_file(path or store.generation, text.encode())\n",
            "    from pathlib import Path\n\n    Path(str(path or store.generation)).write_bytes(text.encode())\n",
        ),
        tests=(
            f"{RULE}[side_doors]",
            "tests/test_opening.py::test_nothing_below_the_root_is_opened_by_a_path[as it is]",
        ),
    ),
    fault(
        "a new store is open to all",
        (PATHS, "STORE_MODE = 0o700", "STORE_MODE = 0o755"),
        tests=(OPENED + "a_new_root_is_closed_to_others",),
    ),
)
