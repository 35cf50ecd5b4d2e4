"""Plant faults in what bounds an archive, a document in it, and the processes that read them."""

from __future__ import annotations

from .fault import fault, of

HEADERS = "ontofetch_catalog/content/packed/tar_headers.py"
INFLATING, ZIPS, TARS, BOUNDS = (
    f"ontofetch_catalog/content/packed/{name}.py" for name in ("inflating", "zips", "tars", "bounds")
)
FRAMES = "ontofetch_catalog/content/packed/frames.py"
ARCHIVES, DIRECTORY = (
    "ontofetch_catalog/content/packed/archives.py",
    "ontofetch_catalog/content/packed/zip_directory.py",
)
EXTRACT = "tests/host/test_extract.py::test_"
UNPACKING, REMARKS = "ontofetch_catalog/host/unpacking.py", "ontofetch_catalog/content/packed/remarks.py"
UNPACKER, WORKER, PROCESS = (
    f"ontofetch_catalog/host/{name}.py" for name in ("unpacker", "worker", "validator_process")
)
ENTITIES, HASHER = "ontofetch_catalog/host/entities.py", "ontofetch_catalog/catalog/verify/hasher.py"
LIMITS, XML, BOOT = (
    "ontofetch_catalog/children/limits.py", "ontofetch_catalog/host/checks/xml.py", "ontofetch_catalog/children/boot.py",
)  # fmt: skip
TESTS = "tests/content/test_archives.py::test_"
BOMB, READ = TESTS + "a_bomb_is_refused_and_takes_no_memory", TESTS + "a_bomb_is_refused_wherever_it_is_read"
DOCUMENTS = "tests/host/test_hostile_documents.py::test_"
DOCUMENT = DOCUMENTS + "a_hostile_document_fails_and_takes_no_memory"
LIMIT = DOCUMENTS + "a_validator_at_its_limit_fails_its_file_once"
VERIFY = "tests/catalog/test_verify.py::test_a_file_that_is_larger_than_recorded_is_damaged_and_not_read"


def both(*bombs: str) -> tuple[str, ...]:
    """Return the tests of bombs, in the process that unpacks and wherever else archives are read."""
    return of(BOMB, *bombs) + of(READ, *bombs)


STATED = "tests/content/test_stated.py::test_"


FAULTS = (
    fault(
        "a version is whatever a document says",
        ("ontofetch_catalog/content/version_names.py", 'return check_segment("version", name)', "return name"),
        tests=(STATED + "a_version_of_any_text_is_a_legal_name", STATED + "whatever_is_stated_is_a_legal_name"),
    ),
    fault(
        "a decompressor yields all at once",
        (INFLATING, "found = self._inner.decompress(data, most)", "found = self._inner.decompress(data, -1)"),
        tests=both("a zip with bzip2", "a zip with LZMA", "a single file"),
    ),
    fault(
        "zstandard is read in large pieces",
        (FRAMES, "self._pieces = _pieces(raw)", "self._pieces = iter(lambda: raw.read(_BITE), b'')"),
        tests=both("repeated blocks"),
    ),
    fault(
        "an entry of a zip may be longer than it says",
        (
            ZIPS,
            "most = min(STEP if size < 0 else size, left + (self._record.method != 14))",
            "most = STEP if size < 0 else size",
        ),
        (ZIPS, "if len(data) > left:", "if False:"),
        tests=both("a zip that says less"),
    ),
    fault(
        "an LZMA dictionary of a zip may be of any size",
        (INFLATING, "    if size > MEMORY:\n", "    if False:\n"),
        tests=both("a zip with a large dictionary"),
    ),
    fault(
        "an xz dictionary may be of any size",
        (INFLATING, "lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY)", "lzma.LZMADecompressor(lzma.FORMAT_XZ)"),
        tests=both("a dictionary"),
    ),
    fault(
        "a zstandard window may be of any size",
        (FRAMES, "max_window_size=MEMORY", "max_window_size=2**31"),
        (BOOT, '    if spec["memory"]:\n', "    if False:\n"),
        tests=both("a window"),
        note="where it is unpacked, the limit of the process's memory says the same",
    ),
    fault(
        "entries of a zip may share their bytes",
        (ZIPS, "if ordered[number] == ordered[number - 1]:", "if False:"),
        tests=both("entries that share their bytes"),
    ),
    fault(
        "entries of a zip may lie in each other",
        (ZIPS, "if start + record.packed > places[bisect_right(places, record.place)]:", "if False:"),
        tests=both("an entry inside of another"),
    ),
    fault(
        "the directory of a zip is not counted",
        (ZIPS, "if len(places) >= most:", "if False:"),
        tests=both("a directory of 2,000,000 entries"),
    ),
    fault(
        "the directory of a zip is read at once",
        (
            DIRECTORY,
            "    while place < end:\n",
            "    yield from list(_all(stream, directory))\n\n\ndef _all(stream: IO[bytes], directory: Directory) -> Iterator[Any]:\n    size, place, end = _FIELDS.size, directory.start, directory.start + directory.size\n    while place < end:\n",
        ),
        tests=both("a directory of 2,000,000 entries"),
    ),
    fault(
        "a header of a tar may be of any size",
        (TARS, "    if size > HEADER_BYTES:\n", "    if False:\n"),
        tests=both("a pax header", "a global pax header", "a long name", "a long link"),
    ),
    fault(
        "an entry of a tar may have any number of headers",
        (TARS, "    if count > HEADERS:\n", "    if False:\n"),
        tests=both("a chain of headers"),
    ),
    fault(
        "a sparse entry of a tar is read as a file",
        (TARS, 'b"S": "a sparse file",', 'b"S": "file",'),
        tests=of(BOMB, "a sparse map"),
    ),
    fault(
        "folders take no room",
        (BOUNDS, "        self.take(FOLDER_BYTES)\n", ""),
        (BOUNDS, "max_entries: int = 1_000_000", "max_entries: int = 20_000"),
        tests=of(BOMB, "folders beside each other"),
        note="that each counts as an entry ends it before a disk is full of them",
    ),
    fault(
        "folders may lie in each other without end",
        (BOUNDS, "if depth > self.limits.max_depth:", "if False:"),
        tests=of(BOMB, "folders"),
    ),
    fault(
        "what a tar unpacks to is not counted",
        (TARS, "            self._budget.take(len(data))\n", ""),
        tests=(*both("zeros behind the end"), TESTS + "what_nobody_wants_counts"),
    ),
    fault(
        "what a zip unpacks to is not counted",
        (ZIPS, "        self._budget.take(len(data))\n", ""),
        tests=both("a zip with bzip2", "a zip with LZMA"),
    ),
    fault(
        "what a single file unpacks to is not counted",
        (ARCHIVES, "        self._budget.take(len(data))\n", ""),
        tests=both("repeated blocks", "a single file"),
    ),
    fault(
        "other names of a file take no room",
        (UNPACKING, "yield Counted(stream, self._budget)", "yield stream"),
        tests=(
            EXTRACT + "a_hard_link_takes_room_of_its_own",
            EXTRACT + "hard_links_to_what_is_not_unpacked_are_bounded",
        ),
    ),
    fault(
        "what is said of an archive has no end",
        (REMARKS, "and len(self._found) >= MOST_REMARKS - 1:", "and False:"),
        (REMARKS, "if len(names) < MOST_REMARK_NAMES:", "if True:"),
        tests=(EXTRACT + "remarks_are_bounded",),
    ),
    fault(
        "a time of a pax header may be none",
        (HEADERS, "if not math.isfinite(found):", "if False:"),
        tests=of(TESTS + "a_time_that_is_none_is_a_sentence", "nan", "inf", "-inf", "1e400", "-1e999", "NaN", "soon"),
    ),
    fault(
        "a size of a header may be negative or endless",
        (HEADERS, 'if what == "size" and not 0 <= found < 2**63:', "if False:"),
        (HEADERS, "if value.isdigit() and len(value) < 19:", "if True:"),
        tests=of(
            TESTS + "a_number_that_cant_be_is_a_sentence",
            *("a negative size", "an endless size", "a negative size of 12 bytes", "a size beyond all files"),
        ),
    ),
    fault(
        "a process that unpacks has all the memory",
        (BOOT, '    if spec["memory"]:\n', "    if False:\n"),
        tests=(
            "tests/host/test_children.py::test_unpacking_beyond_a_limit_is_a_sentence",
            "tests/host/test_children.py::test_a_process_starts_isolated_elsewhere_and_limited",
        ),
    ),
    fault(
        "a process that unpacks has all of the processor",
        (UNPACKER, '        limit_cpu(Allowance(**task["allowance"]).cpu_for(size))\n', ""),
        tests=("tests/host/test_children.py::test_unpacking_beyond_a_limit_is_a_sentence",),
    ),
    fault(
        "a process that unpacks may write files of any size",
        (UNPACKER, "    limit_file(limits.max_bytes)\n", ""),
        tests=("tests/host/test_children.py::test_a_process_that_unpacks_writes_no_file_beyond_its_limit",),
    ),
    fault(
        "what is inside a compressed file is not counted for validators",
        ("ontofetch_catalog/content/packed/insides.py", "        budget.take(len(data))\n", ""),
        tests=("tests/host/test_outcomes.py::test_a_compressed_file_is_judged_by_what_is_inside",),
    ),
    fault(
        "entities are not counted",
        (XML, "if fault is not None:", "if False:"),
        tests=of(
            DOCUMENT,
            *("billion laughs", "laughs that nobody uses", "laughs with odd spaces", "laughs in a second doctype"),
            *("layers", "a quadratic blow-up", "many large entities", "a very large entity"),
        ),
    ),
    fault(
        "entities may stand for anything",
        (ENTITIES, "if size > MOST_CHARACTERS or depth >= MOST_NESTED or self._declared > MOST_DECLARED:", "if False:"),
        tests=of(
            DOCUMENT,
            "billion laughs",
            "laughs that nobody uses",
            "laughs with odd spaces",
            "laughs in a second doctype",
            "layers",
            "a very large entity",
        ),
        note="what one may stand for, and what all may together, each refuse most of them",
    ),
    fault(
        "entities with odd spaces are others",
        (ENTITIES, '    return "".join(name.split())\n', "    return name\n"),
        tests=of(DOCUMENT, "laughs with odd spaces"),
    ),
    fault(
        "the uses of entities are not counted",
        (ENTITIES, "if self._used <= MOST_USED + MOST_RATIO * seen:", "if True:"),
        tests=of(DOCUMENT, "a quadratic blow-up"),
    ),
    fault(
        "the text of an entity may go on for ever",
        (ENTITIES, "if endless else None", "if False else None"),
        tests=(DOCUMENTS + "a_declaration_that_goes_on_and_on_is_seen",),
    ),
    fault(
        "all entities together are not counted",
        (ENTITIES, " or self._declared > MOST_DECLARED:", ":"),
        tests=of(DOCUMENT, "many large entities"),
    ),
    fault(
        "what stands outside of a document is passed over",
        (XML, "        self.parser.ExternalEntityRefHandler = self._refer\n", ""),
        tests=of(DOCUMENT, "an external entity", "an external parameter entity"),
        note="the parser fetches nothing by itself; without the sentence the document passes without what it refers to",
    ),
    fault(
        "a parser of ours has the memory of all validators",
        (
            PROCESS,
            "            allowed = allowed.for_parser(size, whole=task.format in WHOLE_FORMATS)\n",
            "            pass\n",
        ),
        tests=of(DOCUMENT, "contexts in contexts"),
    ),
    fault(
        "a validator has all of the processor",
        (WORKER, '        limit_cpu(task["cpu"])\n', ""),
        tests=of(DOCUMENT, "elements in elements") + of(LIMIT, "busy-words2"),
    ),
    fault(
        "a validator has all the memory",
        (WORKER, '        limit_memory(task["memory"])\n        limit_data(task["data"])\n', ""),
        (BOOT, '    if spec["memory"]:\n', "    if False:\n"),
        tests=of(LIMIT, "hungry-words0") + of(DOCUMENT, "contexts in contexts"),
        note="it has two limits: of its process, and for each file",
    ),
    fault(
        "a validator may write files of any size",
        (WORKER, '        limit_file(task["file"])\n', ""),
        tests=of(LIMIT, "writes-words3"),
    ),
    fault(
        "a validator that died at a limit is asked again",
        (PROCESS, "if code is not None and allowed.reason(code, size) is None:", "if code is not None:"),
        tests=of(LIMIT, "crashes-words4"),
    ),
    fault(
        "the recursion of a validator is an error of ours",
        (
            WORKER,
            '    except RecursionError:\n        why = "it is nested too deeply for this validator"\n',
            "",
        ),
        tests=of(LIMIT, "recursive-words1"),
    ),
    fault(
        "how a process died at its limit is not known",
        (LIMITS, "if (self.max_memory or self.max_data) and is_end_of_memory(code):", "if False:"),
        tests=of(DOCUMENT, "triples in triples", "triples in triples, line by line"),
    ),
    fault(
        "a validator opens whatever lies there",
        (PROCESS, "    descriptor = place.open_file()\n", "    descriptor = os.open(str(place), os.O_RDONLY)\n"),
        tests=(DOCUMENTS + "what_is_no_file_of_the_release_is_not_opened",),
    ),
    fault(
        "a file that grew is hashed to its end",
        (
            HASHER,
            "found = _hash(descriptor, size, tell) if state.st_size <= size else None",
            "found = _hash(descriptor, size, tell)",
        ),
        (HASHER, "        if not left:\n            return None\n", ""),
        (HASHER, "os.readv(descriptor, [_view[:left]])", "os.readv(descriptor, [_view])"),
        tests=(VERIFY,),
        note="the size is looked at before, and while it is read",
    ),
)
