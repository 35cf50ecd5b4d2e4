"""The font in which charts are measured and shown: it is in every page and picture that has one, so nothing is cut."""

from __future__ import annotations

import base64
from functools import lru_cache
from importlib.resources import as_file, files
from types import ModuleType

FAMILY = "DejaVu Sans"


@lru_cache(maxsize=1)
def face() -> str:
    """Return the rule of CSS that holds the font itself."""
    data = base64.b64encode(files(__name__).joinpath("DejaVuSans.woff2").read_bytes()).decode()
    return f'@font-face {{ font-family: "{FAMILY}"; src: url(data:font/woff2;base64,{data}) format("woff2"); }}'


@lru_cache(maxsize=1)
def register(converter: ModuleType) -> None:
    """Let what measures texts know the font, once."""
    with as_file(files(__name__)) as folder:
        converter.register_font_directory(str(folder))
