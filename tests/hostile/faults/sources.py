"""Plant faults in what checks registries, lists, lock files and sources files, and keeps secrets to their hosts."""

from __future__ import annotations

from .fault import fault

HOST = "ontofetch_catalog/host/"
ASKING, CREDENTIALS, NETWORK = f"{HOST}updating/asking.py", f"{HOST}credentials.py", f"{HOST}network.py"
ANSWERS, JOBS, DEMANDS, HTTP = (f"{HOST}{name}.py" for name in ("schemes/answers", "updating/jobs", "demands", "http"))
SERIES, LOCK = "ontofetch_catalog/series_file/file.py", "ontofetch_catalog/lock_file.py"
ORIGINS = "hookspecs/ontofetch_hookspecs/origins.py"
SCHEMES, MANY = "tests/host/test_schemes.py::test_", "tests/host/test_pull_many.py::test_"
UPDATE, ADD = "tests/host/test_update.py::test_", "tests/host/test_add.py::test_"

FAULTS = (
    fault(
        "a sources file names what never ends",
        (
            f"{HOST}updating/looking.py",
            "open_named(str(request.source.path), regular=True)",
            "open_named(str(request.source.path))",
        ),
        tests=(UPDATE + "an_address_of_what_never_ends_is_a_sentence",),
    ),
    fault(
        "what is no JSON is no error of a registry",
        (
            ANSWERS,
            "    except ValueError as error:\n        raise FetchError(",
            "    except KeyError as error:\n        raise FetchError(",
        ),
        tests=(SCHEMES + "any_answer_ends_in_a_sentence",),
    ),
    fault(
        "an answer of a registry may be of any size",
        (ASKING, "most_bytes=min(options.most_bytes or MOST_ANSWER, MOST_ANSWER)", "most_bytes=options.most_bytes"),
        tests=(SCHEMES + "what_is_too_large_is_not_read",),
    ),
    fault(
        "a registry names addresses of any kind",
        (
            ORIGINS,
            'return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0',
            "return True",
        ),
        tests=(SCHEMES + "addresses_of_a_registry_are_those_of_a_network",),
    ),
    fault(
        "a registry leads anywhere",
        (JOBS, "led_from=listing.led_from, ", ""),
        tests=(SCHEMES + "a_public_registry_leads_to_no_private_address",),
    ),
    fault(
        "no checksum is compared",
        (DEMANDS, "    if wanted is None or copy.sha256 == wanted:\n", "    if True:\n"),
        (DEMANDS, "    if found != digest:\n", "    if False:\n"),
        tests=(SCHEMES + "other_bytes_than_the_registry_says_are_refused", MANY + "a_mirror_that_lies_is_refused"),
    ),
    fault(
        "paths of a lock file are taken as they are",
        (LOCK, 'path=check_relpath("path", told["path"], most=4096)', 'path=str(told["path"])'),
        tests=(MANY + "a_lock_file_may_be_anybodys",),
    ),
    fault(
        "a sources file may be anybody's",
        (SERIES, "if status.st_mode & stat.S_IWOTH or ", "if "),
        tests=(ADD + "a_store_of_a_stranger_leads_nowhere",),
    ),
    fault(
        "an expression is Python's own",
        (
            JOBS,
            "fields = pc.extract_regex(pa.array([address[:4096]]), compile_pattern(series.name, pattern))[0].as_py() or {}",
            "import re; told = re.search(pattern, address); fields = {'version': told[1]} if told else {}; del pa, pc",
        ),
        tests=(UPDATE + "a_version_that_nobody_says_is_a_sentence",),
    ),
    fault(
        "headers of a host go to whoever it redirects to",
        (HTTP, "                private = []\n", ""),
        tests=("tests/host/test_credentials.py::test_no_secret_is_left_anywhere",),
    ),
    fault(
        "a kept connection asks nobody",
        (NETWORK, "            self._line.gate.admit_kind(*self._place)\n", "            pass\n"),
        tests=("tests/host/test_network.py::test_a_kept_connection_asks_each_gate",),
    ),
)
