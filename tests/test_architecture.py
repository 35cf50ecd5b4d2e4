"""The pages for whoever changes the code name files, commands and rules that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.crash.variants import VARIANTS as CRASH_VARIANTS

CHECKOUT = Path(__file__).parents[1]
PAGES = ("docs/architecture.md", "CONTRIBUTING.md")
# what a path of these pages may begin at
TOPS = ("", "ontofetch_catalog", "hookspecs", "hookspecs/ontofetch_hookspecs")
VARIANTS = set(CRASH_VARIANTS)
# what stands for a name that is chosen
CHOSEN = {"NAME": "growth", "NNNN_what": "0001_init", "db_NAME": "db_pin"}


def missing(text: str) -> list[str]:
    """Return the paths and modules of a page that are not in the checkout."""
    found = []
    for path in re.findall(r"(?<![\w/.-])((?:[\w.]+/)+[\w.]*|\w+\.(?:py|md|toml|sql))(?![\w/])", text):
        real = path
        for name, instance in sorted(CHOSEN.items(), key=lambda it: -len(it[0])):
            real = real.replace(name, instance)
        there = any((CHECKOUT / top / real).exists() for top in TOPS)
        # a file beside the one that the sentence is about
        beside = "/" not in real and any((CHECKOUT / "ontofetch_catalog").rglob(real))
        if not (there or beside or real in VARIANTS):
            found.append(path)
    for module in re.findall(r"python -m ([\w.]+)", text):
        place = CHECKOUT / module.replace(".", "/")
        if module.startswith("tests.") and not (place.with_suffix(".py").exists() or (place / "__main__.py").exists()):
            found.append(module)
    return found


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_is_named_is_there(page: str) -> None:
    """A renamed file leaves no page behind."""
    text = (CHECKOUT / page).read_text(encoding="utf-8")
    assert missing(text) == []
    assert len(re.findall(r"\.py", text)) > 20


def test_a_file_that_is_gone_is_noticed() -> None:
    """The check can fail."""
    assert missing("`catalog/nothing.py`, then `python -m tests.nothing`") == ["catalog/nothing.py", "tests.nothing"]


def test_every_folder_is_in_the_table() -> None:
    """A newcomer finds each package of the house on the page."""
    text = (CHECKOUT / "docs/architecture.md").read_text(encoding="utf-8")
    packages = {path.parent.name for path in (CHECKOUT / "ontofetch_catalog").glob("*/__init__.py")}
    assert packages == set(re.findall(r"^\| `ontofetch_catalog/(\w+)/` \|", text, re.MULTILINE))


def test_nothing_lies_at_the_top_but_what_belongs_there() -> None:
    """What a command or a test has left in the checkout is noticed before it is committed."""
    belongs = {
        *("CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md", "SECURITY.md"),
        *("pyproject.toml", "requirements.lock"),
        *("benchmarks", "docs", "hookspecs", "migrations", "ontofetch_catalog", "tests"),
    }
    ignored = set((CHECKOUT / ".gitignore").read_text(encoding="utf-8").replace("/", "").split())
    there = {path.name for path in CHECKOUT.iterdir() if not path.name.startswith(".")}
    assert {name for name in there - ignored if not name.endswith(".egg-info")} == belongs


def test_every_target_of_make_that_is_named_is_there() -> None:
    """And the long ones are all named."""
    text = (CHECKOUT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    makefile = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = {word for words in re.findall(r"`make ([a-z -]+)`", text) for word in words.split()}
    assert named <= targets
    assert {"quick", "test", "crash", "crash-mutants", "hostile", "hostile-mutants", "trees", "bench"} <= named


def test_the_picture_names_what_is_there() -> None:
    """Each folder and module of it is in the checkout."""
    text = (CHECKOUT / "docs/architecture.md").read_text(encoding="utf-8")
    picture = text.partition("```mermaid\n")[2].partition("```")[0]
    folders = set(re.findall(r"(?:catalog|analytics|rendering|plugins|host)/[\w/]*", picture))
    assert len(folders) > 6
    for folder in folders:
        assert any((CHECKOUT / top / folder).exists() or (CHECKOUT / top / f"{folder}.py").exists() for top in TOPS)
