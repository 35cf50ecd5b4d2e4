from __future__ import annotations

import builtins
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from ontofetch_catalog.errors import UsageError
from ontofetch_catalog.rendering.figures import draw, inline

HOSTILE = "</script><script>alert(1)</script>"
SPEC = {
    "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
    "data": {"values": [{"a": HOSTILE, "b": 1}]},
    "mark": "bar",
    "encoding": {"x": {"field": "b", "type": "quantitative"}, "y": {"field": "a", "type": "nominal"}},
}


def test_svg_is_well_formed_and_loads_nothing() -> None:
    """A chart is one SVG whose names are text; inside a page it takes the colour of the text around it."""
    for svg in (draw([SPEC], "svg", "t").decode(), inline(SPEC)):
        tree = ET.fromstring(svg)
        assert tree.tag.endswith("svg")
        assert any("".join(element.itertext()) == HOSTILE for element in tree.iter())
        assert not [element for element in tree.iter() if element.tag.endswith(("script", "image", "foreignObject"))]
    assert "currentColor" in inline(SPEC)


def test_png_is_an_image_of_all_charts() -> None:
    """Two charts stand one below the other in one picture, with their own data."""
    one, two = draw([SPEC], "png", "t"), draw([SPEC, SPEC], "png", "t")
    assert one.startswith(b"\x89PNG")
    height = [int.from_bytes(data[20:24], "big") for data in (one, two)]
    assert height[1] > 2 * height[0]


def test_charts_below_each_other_keep_their_data() -> None:
    """Data that a chart names is found when it stands among others."""
    named = {**SPEC, "data": {"name": "rows"}, "datasets": {"rows": [{"a": "only here", "b": 1}]}}
    assert "only here" in draw([SPEC, named], "svg", "t").decode()


def test_an_interactive_page_holds_its_libraries() -> None:
    """It loads nothing, and no name of a file ends the script that holds the data."""
    page = draw([SPEC], "html", "<b>").decode()
    assert "vegaEmbed=" in page
    assert "default-src 'none'" in page
    assert HOSTILE not in page
    assert " src=" not in page.partition("<body>")[0]
    assert "<h1>&lt;b&gt;</h1>" in page
    assert page.count("</script>") == 3


def test_without_the_extra_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing package is an error that names the extra."""
    real = builtins.__import__

    def missing(name: str, *rest: Any, **words: Any) -> Any:
        if name == "vl_convert":
            raise ImportError("no", name=name)
        return real(name, *rest, **words)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(UsageError, match=r"not installed.*ontofetch-catalog\[plots\]"):
        draw([SPEC], "svg", "t")
