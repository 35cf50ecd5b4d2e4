"""Plant faults that the tests of everything at once have to see: the bench of hostile inputs, the races, the memory."""

from __future__ import annotations

from .fault import fault, of
from .stores import FOLLOW, JSON, PATHS, PLAN, WAIT

BENCH, RACES = "tests/hostile/test_bench.py::test_", "tests/hostile/test_races.py::test_"
NAMED = BENCH + "what_has_a_name_holds"

FAULTS = (
    fault(
        "a plan of another form is an error of ours",
        (
            PLAN,
            "    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:\n",
            "    except ZeroDivisionError as error:\n",
        ),
        tests=of(BENCH + "what_is_drawn_holds", "plans"),
    ),
    fault(
        "a document may be a pipe, or nested without end",
        *WAIT,
        (JSON, '    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH:\n', "    if False:\n"),
        tests=of(NAMED, "generation.json-pipe"),
    ),
    fault(
        "links are followed, also those that come and go",
        *FOLLOW,
        tests=(RACES + "nothing_outside_is_touched_beside_swaps",),
    ),
    fault(
        "a document takes the memory that it wants",
        (
            PATHS,
            '            data = b"" if too_large else stream.read(most + 1)\n        if too_large or len(data) > most:\n',
            "            data = stream.read()\n        if False:\n",
        ),
        tests=("benchmarks/bench_hostile.py::test_memory",),
    ),
)
