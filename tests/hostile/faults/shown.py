"""Plant faults in what is shown to people, in lists that they join, in audits that are read, and in what is locked."""

from __future__ import annotations

from .fault import fault, of

CHARACTERS, ENCODE = "hookspecs/ontofetch_hookspecs/characters.py", "ontofetch_catalog/rendering/encode.py"
LISTS, LINES, MANIFESTS = (
    f"ontofetch_catalog/analytics/{name}.py" for name in ("lists", "sources/audit_lines", "sources/manifests")
)
NAMED = "ontofetch_catalog/named_files.py"
PATHS, APP, LOCK = "hookspecs/ontofetch_hookspecs/store_paths.py", "ontofetch_catalog/host/app.py", "requirements.lock"
ENCODED, JOINED = "tests/rendering/test_encode.py::test_", "tests/cli/test_report_output.py::test_"
AUDITS, TERMINAL = (
    "tests/analytics/test_hostile_documents.py::test_",
    "tests/host/test_app.py::test_an_odd_terminal_is_no_error",
)
LIST, DOCUMENT = JOINED + "a_hostile_list_is_a_sentence_at_once", AUDITS + "a_hostile_document_is_a_sentence"
MANIFEST, LATEST, AUDIT = "s/o/1/manifest.json", "s/o/LATEST.json", "s/o/1/.extract.audit.json"

FAULTS = (
    fault(
        "what can't be seen is shown as it is",
        (
            CHARACTERS,
            "    return UNSEEN.sub(lambda found: found[0] if found[0] in keep else escape(found[0]), text)\n",
            "    return text\n",
        ),
        tests=(
            ENCODED + "the_unseen_is_seen_in_all_that_people_read",
            "tests/hookspecs/test_characters.py::test_the_invisible_is_shown",
            JOINED + "a_heading_of_a_list_is_harmless",
        ),
    ),
    fault(
        "csv has what can't be seen",
        (
            ENCODE,
            "safe_lines(part.write_csv(include_header=number == 0)).encode()",
            "part.write_csv(include_header=number == 0).encode()",
        ),
        tests=(ENCODED + "the_unseen_is_seen_in_all_that_people_read", JOINED + "a_heading_of_a_list_is_harmless"),
    ),
    fault(
        "JSON has what a terminal obeys",
        (
            ENCODE,
            "yield (lines if is_plain else JSON_UNSAFE.sub(_escape_json, lines)).encode()",
            "yield lines.encode()",
        ),
        tests=(ENCODED + "the_unseen_is_seen_in_all_that_people_read",),
    ),
    fault(
        "a heading of csv may be a formula",
        (
            ENCODE,
            'header = {name: f"\'{name}" for name in frame.columns if name[:1] in FORMULA_STARTS and name}',
            "header: dict[str, str] = {}",
        ),
        tests=(ENCODED + "a_heading_of_csv_is_no_formula", JOINED + "a_heading_of_a_list_is_harmless"),
    ),
    fault(
        "a list may be anything",
        (NAMED, "os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY", "os.O_RDONLY | os.O_NOCTTY"),
        (NAMED, "if regular and not stat.S_ISREG(os.fstat(descriptor).st_mode):", "if False:"),
        (LISTS, "data = stream.read(MAX_LIST + 1)", "data = stream.read()"),
        tests=(LIST,),
    ),
    fault(
        "a list may be of any size",
        (LISTS, "data = stream.read(MAX_LIST + 1)", "data = stream.read()"),
        (LISTS, "    if len(data) > MAX_LIST:\n", "    if False:\n"),
        tests=of(LIST, "larger than 67,108,864 bytes"),
    ),
    fault(
        "a line of a list may be of any length",
        (LISTS, "            if taken > MAX_LINE:\n", "            if False:\n"),
        tests=of(LIST, "a line is longer than0", "a line is longer than1"),
    ),
    fault(
        "a sentence repeats what a list says",
        (LISTS, 'f"its {_plain(wrong[0])} is no whole number"', 'f"its {line} is no whole number"'),
        (LISTS, 'f"it has {len(line)} fields, not {len(types)}"', 'f"it has {line}, not {len(types)} fields"'),
        tests=of(LIST, "line 2: it has 1 fields, not 2", "line 2: its size_b is no whole number0"),
    ),
    fault(
        "a document may be anything, and is waited for",
        (PATHS, "flags | os.O_NONBLOCK, mode)", "flags, mode)"),
        (
            PATHS,
            "        if not stat.S_ISREG(os.fstat(descriptor).st_mode):\n            os.close(descriptor)\n",
            "        if False:\n            os.close(descriptor)\n",
        ),
        tests=of(DOCUMENT, f"0-{MANIFEST}", f"0-{LATEST}", f"0-{AUDIT}", f"3-{MANIFEST}"),
    ),
    fault(
        "an audit is opened by its path",
        (LINES, "        descriptor = path.open_file()\n", "        descriptor = os.open(str(path), os.O_RDONLY)\n"),
        tests=of(DOCUMENT, f"0-{AUDIT}", f"1-{AUDIT}", f"2-{AUDIT}"),
    ),
    fault(
        "a manifest is opened by its path",
        (
            MANIFESTS,
            "        found = path.read_json()\n",
            "        found = __import__('json').loads(open(str(path)).read(1 << 27))\n",
        ),
        tests=of(DOCUMENT, f"0-{MANIFEST}", f"1-{MANIFEST}", f"1-{LATEST}", f"2-{MANIFEST}", f"5-{MANIFEST}"),
    ),
    fault(
        "an audit may be of any size",
        (LINES, "    if os.fstat(descriptor).st_size > MAX_AUDIT:\n", "    if False:\n"),
        tests=of(DOCUMENT, f"4-{AUDIT}"),
    ),
    fault(
        "a manifest may be of any size",
        (
            PATHS,
            '            data = b"" if too_large else stream.read(most + 1)\n        if too_large or len(data) > most:\n',
            "            data = stream.read()\n        if False:\n",
        ),
        tests=of(DOCUMENT, f"4-{MANIFEST}", f"4-{LATEST}"),
    ),
    fault(
        "odd values of a manifest are errors of ours",
        (
            MANIFESTS,
            "    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:\n",
            "    except ZeroDivisionError as error:\n",
        ),
        tests=(AUDITS + "a_manifest_of_odd_values_is_named",),
    ),
    fault(
        "a time of an audit may be no time",
        (LINES, "if name in (c.MTIME, c.RUN_AT) and not _TIME.fullmatch(str(value)):", "if False:"),
        tests=of(AUDITS + "odd_values_of_a_line_are_a_sentence", "2026-01-01T00:00:00Z-yesterday-not a time in UTC"),
    ),
    fault(
        "a number of an audit may be of any size",
        (LINES, "if isinstance(value, int) and abs(value) > MAX_SIZE:", "if False:"),
        tests=(AUDITS + "odd_values_of_a_line_are_a_sentence",),
    ),
    fault(
        "releases are found through links",
        (
            MANIFESTS,
            "    return [place / name for name, kind in place.entries() if kind == stat.S_IFDIR]\n",
            "    import os\n\n    return [place / name for name in os.listdir(str(place)) if os.path.isdir(f'{place}/{name}')]\n",
        ),
        (
            MANIFESTS,
            "if (version / name).exists()",
            "if __import__('os').path.exists(str(version / name))",
        ),
        tests=(AUDITS + "a_linked_folder_holds_no_releases",),
        note="a manifest that was found so is then refused as behind a link",
    ),
    fault(
        "odd terminals are believed",
        (APP, "        _take_odd_terminals()\n", ""),
        tests=(TERMINAL,),
    ),
    fault(
        "a package is locked with an address",
        (LOCK, "\nduckdb==", "\n--extra-index-url https://example.org/simple\nduckdb=="),
        tests=("tests/test_requirements.py::test_the_lock_file_says_what_is_required",),
    ),
)
