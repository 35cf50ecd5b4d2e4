"""Plant faults in what makes the tree of another program harmless: its names, what it says, what stays its own."""

from __future__ import annotations

from .fault import fault, of
from .stores import FOLLOW, WAIT

IMPORTING = "ontofetch_catalog/importing/"
DOCSTOKG, FILES, PLAIN, RECORD = (f"{IMPORTING}{name}.py" for name in ("docstokg", "files", "plain", "record"))
PLACES, UNRECORDED = (f"ontofetch_catalog/catalog/{name}.py" for name in ("rebuild/places", "doctor/unrecorded"))
IMPORT, BY_PATTERN = "tests/importing/test_db_import.py::test_", "tests/importing/test_plain.py::test_"
HARMLESS = IMPORT + "hostile_trees_are_harmless"

FAULTS = (
    fault("links and pipes of a tree are opened", *FOLLOW, *WAIT, tests=of(HARMLESS, "False")),
    fault(
        "a manifest of a tree names any file",
        (DOCSTOKG, 'name = check_relpath("filename", told.get("filename"))', 'name = str(told.get("filename"))'),
        (DOCSTOKG, '    if "/" in name:\n', "    if False:\n"),
        tests=of(HARMLESS, "False", "True"),
    ),
    fault(
        "bytes are what their tree says",
        (RECORD, "            if found.sha256 not in (None, sha256):\n", "            if False:\n"),
        tests=of(HARMLESS, "False", "True"),
    ),
    fault(
        "what was unpacked is what its audit says",
        (FILES, '            differing = differing or size != taken.size or sha not in ("", taken.sha256)\n', ""),
        tests=of(IMPORT + "an_extraction_that_is_not_as_its_audit_says", "content", "size"),
    ),
    fault(
        "an archive of a tree may unpack to anything",
        (FILES, "limits=Limits.from_settings(settings)", "limits=Limits(max_ratio=1e9)"),
        tests=(IMPORT + "an_archive_that_nobody_unpacked",),
    ),
    fault(
        "a tree is ours where our manifest is lost",
        (PLACES, "                layout = shared if theirs else layout\n", ""),
        tests=(IMPORT + "a_lost_manifest_gives_nothing_of_the_other_program_away",),
    ),
    fault(
        "doctor puts another program's release aside",
        (UNRECORDED, "movable = folder.layout is None or not folder.layout.shared", "movable = True"),
        tests=(IMPORT + "doctor_moves_no_release_that_another_program_keeps",),
    ),
    fault(
        "a download that was cut short is a file of a release",
        (PLAIN, "            elif file.name.casefold().endswith(UNFINISHED):\n", "            elif False:\n"),
        tests=(BY_PATTERN + "hostile_trees_by_a_pattern",),
    ),
    fault(
        "a pattern may take all time that there is",
        (PLAIN, "        if free > MOST_FREE:\n", "        if False:\n"),
        tests=(BY_PATTERN + "a_part_has_few_fields_and_stars",),
    ),
)
