"""A site in a real browser, opened from its files: no page is too wide, the search finds, axe finds nothing.

Without a browser, or without axe-core, a test is skipped and says what to install.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.showing import browser
from tests.showing.conftest import Run

pytestmark = pytest.mark.skipif(browser.PROGRAM is None, reason=browser.MISSING)
RELEASES = "series/example/sample/releases"
PAGES = ("index.html", "health.html", "search.html", "series/example/sample/index.html", f"{RELEASES}/2.0.html")
# where `.ci/viewers` puts it; another place is named by the variable
AXE = Path(os.environ.get("AXE_CORE", Path(__file__).parents[2] / ".build/axe/axe_playwright_python/axe.min.js"))


@pytest.fixture
def site(run: Run, tmp_path: Path) -> Path:
    """Return the site of the store."""
    code, _, err = run("site", "--out", str(tmp_path / "site"))
    assert code == 0, err
    return tmp_path / "site"


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_is_wider_than_its_window(site: Path, tmp_path: Path, page: str, width: int) -> None:
    """It is read without moving it sideways, on a phone and on a desk; what is wide moves inside the page."""
    code = "const top = inside.document.documentElement; return [top.scrollWidth, inside.innerWidth];"
    needed, given = browser.ask(site / page, code, tmp_path, width=width)
    assert given == width
    assert needed <= given


def test_the_search_finds(site: Path, tmp_path: Path) -> None:
    """All words must be there; a link that is found leads to its page; what is not there is said."""
    code = """
        const field = inside.document.getElementById("words");
        const look = words => {
            field.value = words; field.dispatchEvent(new inside.Event("input"));
            return [...inside.document.querySelectorAll("#found a")].map(link => link.getAttribute("href"));
        };
        const answer = [look("SAMPLE failing"), look("16367aacb67a"), look("<script>"), look("")];
        look("nowhere");
        return [...answer, inside.document.getElementById("count").textContent];
    """
    assert browser.ask(site / "search.html", code, tmp_path) == [
        [f"{RELEASES}/2.0.html"], [f"{RELEASES}/2.0.html"], [], [], "Nothing has all of these words.",
    ]  # fmt: skip


def test_a_page_follows_light_and_dark(site: Path, tmp_path: Path) -> None:
    """The paper is light or dark as the user likes it; the style is not stopped by the page's own policy."""
    code = "return inside.getComputedStyle(inside.document.body).backgroundColor;"
    assert browser.ask(site / "index.html", code, tmp_path) == "rgb(255, 255, 255)"
    assert browser.ask(site / "index.html", code, tmp_path, dark=True) == "rgb(20, 24, 29)"


def test_a_script_of_a_stranger_does_not_run(site: Path, tmp_path: Path) -> None:
    """Were a name ever let through, the policy of the page would still stop it."""
    page = site / f"{RELEASES}/1.0.html"
    page.write_text(
        page.read_text().replace("<h1>", '<script>window.ran = 1</script><img src="x" onerror="ran = 2"><h1>')
    )
    assert browser.ask(page, "await new Promise(go => setTimeout(go, 300)); return inside.ran ?? 0;", tmp_path) == 0


@pytest.mark.skipif(not AXE.is_file(), reason="there is no axe-core: `.ci/viewers` brings it")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing(site: Path, tmp_path: Path, page: str, dark: bool) -> None:
    """No rule of accessibility that a machine can check is broken, contrast included."""
    code = f"""
        const script = inside.document.createElement("script");
        script.src = "{AXE.as_uri()}";
        await new Promise(go => {{ script.onload = go; inside.document.head.append(script); }});
        const found = await inside.axe.run();
        return [found.passes.length > 5, found.violations.map(one => one.id + ": " + one.nodes[0].html)];
    """
    copy = browser.without_policy(site / page)
    assert browser.ask(copy, code, tmp_path, width=390, dark=dark) == [True, []]


def test_no_word_of_a_chart_is_cut(run: Run, tmp_path: Path) -> None:
    """Every text of a chart lies inside its picture, in the font that the page brings along."""
    pytest.importorskip("vl_convert")
    page = tmp_path / "growth.html"
    assert run("report", "growth", "--a", "1.0", "--b", "2.0", "--by", "folder", "--out", str(page))[0] == 0
    code = """
        await inside.document.fonts.ready;
        const cut = [];
        for (const svg of inside.document.querySelectorAll("figure svg")) {
            const all = svg.getBoundingClientRect();
            for (const text of svg.querySelectorAll("text")) {
                const box = text.getBoundingClientRect();
                if (box.left < all.left - 1 || box.right > all.right + 1 || box.bottom > all.bottom + 1) {
                    cut.push(text.textContent);
                }
            }
        }
        return [inside.document.querySelectorAll("figure svg text").length > 3,
                inside.document.fonts.check("12px 'DejaVu Sans'"), cut];
    """
    assert browser.ask(page, code, tmp_path) == [True, True, []]
