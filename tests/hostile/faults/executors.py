"""Plant faults in what is asked of workers elsewhere: who is believed, and what of an answer."""

from __future__ import annotations

from .fault import fault, of

ADDRESSES, AWAY, JOBS, ON_WORKER = (
    f"ontofetch_catalog/host/executors/{name}.py" for name in ("addresses", "away", "jobs", "on_worker")
)
BAD_DAYS, ANSWERS, SAME = (f"tests/executors/test_{name}.py::test_" for name in ("bad_days", "jobs", "same_answers"))

FAULTS = (
    fault(
        "a settings file that nobody named says whose code is believed",
        ("ontofetch_catalog/settings.py", "    if setting.trusted and not file.named:\n", "    if False:\n"),
        tests=("tests/test_settings_file.py::test_a_file_that_nobody_named_says_not_whose_code_is_believed",),
    ),
    fault(
        "a process of a worker has all the memory",
        (ON_WORKER, "with _kept.one(asked.allowance, asked.limits)", "with _kept.one(Allowance(), asked.limits)"),
        tests=of(BAD_DAYS + "a_validator_takes_no_more_there_than_here", "hoards"),
    ),
    fault(
        "a file takes one worker after the other with it",
        (AWAY, "            if len(begun) > _MOST_BEGINNINGS:\n", "            if False:\n"),
        tests=(BAD_DAYS + "a_file_that_takes_workers_with_it_comes_to_no_judgement",),
        note="all workers are gone then, and the test waits for one until it is ended",
    ),
    fault(
        "any answer of a worker is believed",
        (
            JOBS,
            "if fault := next((name for name, right in _RIGHT.items() if not right(told[name])), None):",
            "if fault := '':",
        ),
        tests=(ANSWERS + "an_answer_that_can_be_none_is_refused",),
    ),
    fault(
        "an answer may have any fields",
        (JOBS, "set(told) != set(cls.__dataclass_fields__)", "False"),
        tests=(ANSWERS + "what_is_no_answer_is_refused",),
    ),
    fault(
        "a worker looks at whatever lies at the path of a file",
        (
            ON_WORKER,
            "        return has_bytes(folder / asked.task.relpath, asked.size, asked.task.file_id)\n",
            "        return (folder / asked.task.relpath).lstat().st_size == asked.size\n",
        ),
        tests=(SAME + "a_file_that_is_another_one_there_is_sent",),
    ),
    fault(
        "a worker may have any version of a parser",
        (ON_WORKER, "        if unlike is not None:\n", "        if False:\n"),
        tests=(BAD_DAYS + "a_worker_with_another_library_is_refused",),
    ),
    fault(
        "a worker that stands still is waited for",
        (AWAY, "if begun and now - begun[-1] > ROUNDS * timeout + GRACE:", "if False:"),
        tests=(BAD_DAYS + "a_worker_that_stands_still_costs_its_file",),
        note="the test waits for as long as it may, and is ended then",
    ),
    fault(
        "a password in the address of an executor is repeated",
        (ADDRESSES, '    if set(text) & set("@?#"):\n', "    if False:\n"),
        tests=(ANSWERS + "what_is_no_address_is_refused",),
    ),
)
