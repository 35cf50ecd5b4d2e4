"""Draw reports: which charts show a result, one module per report; pictures are made of them in `rendering.figures`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...errors import UsageError

if TYPE_CHECKING:
    from ...rendering.figures import Spec
    from ..results import ReportResult


def charts_of(result: ReportResult) -> list[Spec]:
    """Return the charts of a result, the most telling one first; none if it has nothing to show.

    Raises:
        UsageError: altair is not installed.
    """
    from ...rendering.figures import missing_extra

    try:
        import altair  # noqa: F401 - whether it is there
    except ImportError as error:
        raise missing_extra(error) from error
    from . import duplicates, growth, hotspots, latest, validation
    from .common import finish

    drawers: dict[str, Callable[[ReportResult], list[Any]]] = {
        "duplicates": duplicates.draw,
        "growth": growth.draw,
        "hotspots": hotspots.draw,
        "latest": latest.draw,
        "validation": validation.draw,
    }
    drawer = drawers.get(result.contract.name) if result.contract else None
    return [finish(chart) for chart in drawer(result)] if drawer else []


def require_charts(result: ReportResult) -> list[Spec]:
    """Return the charts of a result for somebody who asked for them.

    Raises:
        UsageError: It has none, or altair is not installed.
    """
    charts = charts_of(result)
    if not charts:
        raise UsageError(
            f"{result.title} has nothing to draw.", subject="--plot", hint="Leave out --plot to see its rows."
        )
    return charts
