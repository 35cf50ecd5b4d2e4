"""Plant faults in what keeps the working folder, the environment and a settings file from having a say."""

from __future__ import annotations

from .fault import fault, of

START, BOOT = "ontofetch_catalog/children/start.py", "ontofetch_catalog/children/boot.py"
APP, MAIN = "ontofetch_catalog/host/app.py", "ontofetch_catalog/__main__.py"
APART, NOTIFY = "ontofetch_catalog/host/apart.py", "hookspecs/ontofetch_hookspecs/notify.py"
MISTAKES = "tests/host/test_plugin_mistakes.py::test_"
FILE, WORDS = "ontofetch_catalog/settings_file.py", "ontofetch_catalog/host/dispatch.py"
CHILDREN, FOLDER, SETTINGS = (
    f"tests/{name}.py::test_" for name in ("host/test_children", "test_working_folder", "test_settings_file")
)
REFUSED = SETTINGS + "a_file_that_may_be_anybodys_is_refused"

FAULTS = (
    fault(
        "contributions without an end are taken as far as they were read",
        (NOTIFY, "if len(items) > MOST_CONTRIBUTIONS:", "if not items:"),
        tests=(MISTAKES + "contributions_without_an_end_harm_nobody",),
    ),
    fault(
        "what a hook does to descriptors stays",
        (APART, "        yield _put_streams(streams)\n", ""),
        tests=(MISTAKES + "descriptors_are_put_back",),
    ),
    fault(
        "a process starts in the working folder with its path",
        (START, 'options = ["-I", *', "options = [*"),
        (START, "        cwd=_FOLDER,\n", ""),
        (
            BOOT,
            'sys.path += [entry for entry in spec["path"] if entry not in sys.path]',
            'sys.path[:0] = ["", *spec["path"]]',
        ),
        tests=(CHILDREN + "a_pull_runs_nothing_of_the_current_folder",),
        note="-I, the folder / and the order of the path each suffice",
    ),
    fault(
        "a process that validates has the working folder on its path",
        (START, "        cwd=_FOLDER,\n", ""),
        (
            BOOT,
            '    for name, folder in spec["bare"].items():\n',
            '    sys.path[:0] = [""]\n    for name, folder in spec["bare"].items():\n',
        ),
        tests=(FOLDER + "pull_runs_nothing_of_the_working_folder",),
    ),
    fault(
        "a process starts without -I",
        (START, 'options = ["-I", *', "options = [*"),
        tests=(CHILDREN + "a_process_starts_isolated_elsewhere_and_limited",),
    ),
    fault(
        "what leads to the working folder is handed on",
        (
            START,
            "if os.path.isabs(entry) and (not near or any(_is_below(real, place) for place in installed)):",
            "if True:",
        ),
        tests=of(
            CHILDREN + "whatever_leads_to_the_current_folder_is_left_out",
            "{folder}",
            "",
            ".",
            "sub",
            "..",
            "{folder}/sub",
            "{folder}/..",
        ),
    ),
    fault(
        "links to the working folder are handed on",
        (START, "        real = os.path.realpath(entry)\n", "        real = os.path.abspath(entry)\n"),
        tests=(CHILDREN + "whatever_leads_to_the_current_folder_is_left_out",),
    ),
    fault(
        "the whole environment is handed on",
        (
            START,
            "if name in _KEPT or name.startswith(_KEPT_BEGINNINGS)}",
            "if name not in _KEPT_FOLDERS}",
        ),
        tests=(CHILDREN + "the_environment_is_what_is_named",),
    ),
    fault(
        "relative folders of libraries are handed on",
        (START, "if os.path.isabs(folder)]", "]"),
        tests=(CHILDREN + "the_environment_is_what_is_named",),
    ),
    fault(
        "another module starts a process",
        (APP, "import threading\n", "import subprocess\nimport threading\n"),
        (APP, "def _close_stdout() -> int:\n", "def _close_stdout() -> int:\n    subprocess.run(['true'])\n"),
        tests=(CHILDREN + "one_place_starts_processes",),
    ),
    fault(
        "a settings file is obeyed without a word",
        (
            WORDS,
            "    if names:\n        name = settings.found_file\n",
            "    if False:\n        name = settings.found_file\n",
        ),
        tests=(SETTINGS + "a_found_file_is_named",),
    ),
    fault(
        "the owner of a settings file is not looked at",
        (FILE, "if status.st_uid not in (os.geteuid(), 0):", "if False:"),
        tests=of(SETTINGS + "another_users_file_is_refused", "S_ISREG", "S_ISDIR"),
    ),
    fault(
        "the mode of a settings file is not looked at",
        (
            FILE,
            'if status.st_mode & _OTHERS:\n        raise UsageError(\n            f"The settings file',
            'if False:\n        raise UsageError(\n            f"The settings file',
        ),
        tests=of(REFUSED, "can be written by others (its 0", "can be written by others (its 1"),
    ),
    fault(
        "the folder of a settings file is not looked at",
        (FILE, "    _check_folder(name, os.fstat(folder))\n", ""),
        tests=of(REFUSED, "The folder of the settings fil", "(its mode is 770)")
        + of(SETTINGS + "another_users_file_is_refused", "S_ISDIR"),
    ),
    fault(
        "a settings file may be a link",
        (FILE, "os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK", "os.O_RDONLY | os.O_NONBLOCK"),
        tests=of(REFUSED, "is a link0", "is a link1", "is a link2"),
    ),
    fault(
        "a settings file may be anything",
        (FILE, "os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY", "os.O_NOFOLLOW | os.O_NOCTTY"),
        (FILE, "if not stat.S_ISREG(status.st_mode):", "if False:"),
        tests=of(REFUSED, "it is no regular file0", "it is no regular file1"),
    ),
    fault(
        "a settings file may have any size",
        (FILE, "data = stream.read(MOST_BYTES + 1)", "data = stream.read()"),
        (FILE, "if len(data) > MOST_BYTES:", "if False:"),
        tests=of(REFUSED, "larger than 1,048,576 bytes", "larger than"),
    ),
    fault(
        "the keys of a settings file may have any number of parts",
        (FILE, "if any(line.count", "if False and any(line.count"),
        tests=of(REFUSED, "more than 100 dots0", "more than 100 dots1"),
    ),
    fault(
        "the recursion of a parser is an error of ours",
        (FILE, "except RecursionError as error:", "except ZeroDivisionError as error:"),
        tests=of(REFUSED, "nested too deeply0", "nested too deeply1"),
    ),
    fault(
        "a settings file is opened twice",
        (
            FILE,
            'with os.fdopen(os.dup(file), "rb") as stream:',
            'with open(name, "rb") as stream:',
        ),
        tests=(SETTINGS + "what_is_checked_is_what_is_read",),
    ),
    fault(
        "the working folder stays on the path of the program",
        (
            MAIN,
            'if not sys.flags.safe_path and sys.path[0] != __file__.rpartition("/ontofetch_catalog/")[0]:',
            "if False:",
        ),
        (APP, "        _leave_current_folder_out()\n", ""),
        tests=(FOLDER + "no_command_runs_anything_of_the_working_folder",),
    ),
    fault(
        "an empty or relative entry of PYTHONPATH stays",
        (APP, "        _leave_current_folder_out()\n", ""),
        tests=of(FOLDER + "a_path_that_means_the_current_folder_brings_no_plugin", ":", ".", "lib", ":lib", "./lib:."),
    ),
)
