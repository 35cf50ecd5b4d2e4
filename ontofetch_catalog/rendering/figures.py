"""Charts as pictures: specifications of Vega-Lite as SVG, PNG or an interactive page, drawn without a network.

What a chart shows is not known here.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from ..errors import UsageError
from . import fonts
from .palette import TONES
from .text import safe_text

Spec = Mapping[str, Any]
KINDS = ("svg", "png", "html")
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline' 'unsafe-eval'; img-src data: blob:;"
    " font-src data:"
)
_TONE = re.compile('(fill|stroke)="(#[0-9A-Fa-f]{6})"')
_NAMES = {tone.light: name for name, tone in TONES.items()}
SCALE = 2.0  # dots of a png per unit: sharp on a dense screen
# inside a page, words and lines take the colour of the page's text
INHERITED = {
    "background": None,
    "axis": {"labelColor": "currentColor", "titleColor": "currentColor", "gridColor": "#8884", "domainColor": "#8888",
             "tickColor": "#8888"},
    "legend": {"labelColor": "currentColor", "titleColor": "currentColor"},
    "title": {"color": "currentColor", "subtitleColor": "currentColor"},
    "header": {"labelColor": "currentColor", "titleColor": "currentColor"},
    "text": {"color": "currentColor"},
}  # fmt: skip


def draw(charts: Sequence[Spec], kind: str, title: str) -> bytes:
    """Return charts, one below the other, as a file of one of KINDS.

    Raises:
        UsageError: The extra `plots` is not installed.
    """
    if kind == "html":
        return _interactive(charts, title).encode()
    stacked = _stacked(charts)
    converter = _converter()
    if kind == "png":
        return bytes(converter.vegalite_to_png(stacked, scale=SCALE))
    return _with_font(str(converter.vegalite_to_svg(stacked))).encode()


def inline(chart: Spec) -> str:
    """Return a chart as SVG for a page, with the colours of the page's text.

    Raises:
        UsageError: The extra `plots` is not installed.
    """
    config = {**chart.get("config", {})}
    for name, values in INHERITED.items():
        config[name] = {**config.get(name, {}), **values} if isinstance(values, dict) else values
    svg = str(_converter().vegalite_to_svg({**chart, "config": config}))
    return _TONE.sub(_variable, svg)


def _variable(found: re.Match[str]) -> str:
    """Return a colour with a meaning as the page's own, which follows light and dark."""
    name = _NAMES.get(found[2].lower())
    return f'{found[1]}="var(--{name})"' if name else found[0]


def _with_font(svg: str) -> str:
    head, end, rest = svg.partition(">")
    return f"{head}{end}<style>{fonts.face()}</style>{rest}"


def _stacked(charts: Sequence[Spec]) -> Spec:
    if len(charts) == 1:
        return charts[0]
    shared = ("$schema", "config", "datasets")
    parts = [{name: value for name, value in chart.items() if name not in shared} for chart in charts]
    first = charts[0]
    return {
        "datasets": {name: rows for chart in charts for name, rows in chart.get("datasets", {}).items()},
        "$schema": first["$schema"],
        "config": first.get("config", {}),
        "vconcat": parts,
        "spacing": 36,
        "resolve": {"scale": {"color": "independent"}, "legend": {"color": "independent"}},
    }


def _interactive(charts: Sequence[Spec], title: str) -> str:
    # in a script of data `<` is spelled so that no name of a file can end it
    data = json.dumps(list(charts)).replace("<", r"\u003c")
    name = html.escape(safe_text(title))
    options = '{renderer: "svg", actions: {export: true, source: false, compiled: false, editor: false}}'
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            f"<title>{name}</title>",
            f"<style>{fonts.face()}",
            "body { font: 15px/1.5 sans-serif; margin: 2rem; background: #fff; color: #1f2328; }",
            "div { overflow-x: auto; }</style>",
            f"</head><body><h1>{name}</h1>",
            f'<script type="application/json" id="charts">{data}</script>',
            f"<script>{_converter().javascript_bundle()}</script>",
            '<script>for (const chart of JSON.parse(document.getElementById("charts").textContent)) {',
            '  const place = document.body.appendChild(document.createElement("div"));',
            f"  vegaEmbed(place, chart, {options}); }}</script>",
            "</body></html>\n",
        ]
    )


def _converter() -> ModuleType:
    try:
        import vl_convert
    except ImportError as error:
        raise missing_extra(error) from error
    fonts.register(vl_convert)
    return vl_convert


def missing_extra(error: ImportError) -> UsageError:
    """Return the sentence for plots without the packages that draw them."""
    return UsageError(
        "Plots need altair and vl-convert, which are not installed.",
        subject=error.name or "plots",
        hint="`pip install 'ontofetch-catalog[plots]'` adds them; tables and data work without.",
    )
