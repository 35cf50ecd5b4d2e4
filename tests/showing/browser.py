"""A real browser, where there is one: opens a page of a site from its file, with a width, light or dark, and looks.

Chromium can't make a window of a phone's width, so a page is looked at in a frame of a page of ours.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
MISSING = "there is no Chromium: `.ci/viewers`, or `apt-get install chromium`, brings one"
_FRAME = """<!DOCTYPE html><html><body style="margin:0"><iframe src="{src}" width="{width}" height="900"
style="border:0"></iframe><pre id="answer"></pre><script>
onload = async () => {{
  const inside = document.querySelector("iframe").contentWindow;
  let answer;
  try {{ answer = await (async () => {{ {code} }})(); }} catch (error) {{ answer = {{ error: String(error) }}; }}
  document.getElementById("answer").textContent = JSON.stringify(answer);
  document.title = "done";
}};
</script></body></html>"""
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')


def ask(page: Path, code: str, folder: Path, *, width: int = 1280, dark: bool = False) -> Any:
    """Return what `code`, JavaScript in which `inside` is the window of the page, returns.

    Args:
        page: A page, opened from its file.
        code: The body of an asynchronous function.
        folder: Where a browser may keep its things.
        width: Of the page, pixels.
        dark: Whether the user likes it dark.
    """
    assert PROGRAM is not None
    outer = folder / "frame.html"
    outer.write_text(_FRAME.format(src=html.escape(page.as_uri()), width=width, code=code))
    words = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-web-security", "--allow-file-access-from-files"]
    words += [f"--user-data-dir={folder / 'profile'}", "--window-size=1400,1000", "--virtual-time-budget=20000"]
    words += ["--blink-settings=preferredColorScheme=0"] if dark else []
    done = subprocess.run(
        [PROGRAM, *words, "--dump-dom", outer.as_uri()], capture_output=True, text=True, timeout=60, check=True
    )
    found = re.search('<pre id="answer">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stderr[-2000:]
    answer = json.loads(html.unescape(found[1]))
    assert not (isinstance(answer, dict) and "error" in answer), answer
    return answer


def without_policy(page: Path) -> Path:
    """Return a copy of a page beside it that lets a test's own script in."""
    copy = page.with_name(f"tried-{page.name}")
    copy.write_text(_POLICY.sub("", page.read_text()))
    return copy
