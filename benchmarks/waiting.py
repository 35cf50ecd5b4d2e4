"""Run a command and say what it took: `python -I -S waiting.py WORDS`; nothing is imported that would make this large.

The peak of a process begins with the size of whatever it was forked from, so this is what the commands are forked from.
"""

import json
import os
import sys
import time


def main(words: list[str]) -> None:
    """Run it with its output thrown away; print its exit code, seconds of clock and processors, and peak in bytes."""
    began = time.perf_counter()
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_RDWR), 1)
        os.execvp(words[0], words)
    _, status, used = os.wait4(child, 0)
    said = {
        "code": os.waitstatus_to_exitcode(status),
        "clock": time.perf_counter() - began,
        "seconds": used.ru_utime + used.ru_stime,
        "peak": used.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
    }
    print(json.dumps(said))


if __name__ == "__main__":
    main(sys.argv[1:])
