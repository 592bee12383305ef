"""How near each look came to the boundary, as Plotly figures: one for every metric of the analysis shown."""

from typing import Any

from django.utils.translation import gettext

from apps.pages.numbers import fill
from apps.releases.rollouts.selectors import MetricWatch, plan_of
from apps.rules.rollouts.analysis import harmful
from apps.rules.rollouts.policy import RolloutPolicy

Figure = dict[str, Any]
CEILING = (
    6.0  # standard deviations; the first boundaries lie far beyond what a chart should show, looks are always seen
)


def figures(policy: RolloutPolicy, watches: tuple[MetricWatch, ...]) -> dict[str, Figure]:
    return {name_of(watch): distance(policy, watch) for watch in watches}


def name_of(watch: MetricWatch) -> str:
    several = f"-{watch.place}" if watch.settings.feedback_name else ""  # feedback of several names in one step
    return f"s{watch.step}-{watch.settings.name}{several}"


def distance(policy: RolloutPolicy, watch: MetricWatch) -> Figure:
    """Standard deviations towards harm against the boundary of each look; above it the rollout stops."""
    harm = plan_of(policy, watch.settings).harm
    numbers = [look.number for look in watch.looks]
    z = [round(harmful(harm, look.z), 2) for look in watch.looks]
    bounds = [(look.number, look.bound) for look in watch.looks if look.bound is not None]
    seen: Figure = {
        "type": "scatter",
        "mode": "lines+markers",
        "name": gettext("towards harm"),
        "x": numbers,
        "y": z,
        "line": {"color": "var(--accent)", "width": 2},
        "hovertemplate": gettext("look %{x}: %{y:.2f} standard deviations"),
    }
    boundary: Figure = {
        "type": "scatter",
        "mode": "lines+markers",  # a line of one look would be none
        "marker": {"symbol": "line-ew-open", "size": 12, "line": {"width": 2}},
        "name": gettext("stops here"),
        "x": [number for number, _ in bounds],
        "y": [round(bound, 2) for _, bound in bounds],
        "line": {"color": "var(--breach)", "width": 2, "dash": "dash"},
        "hovertemplate": gettext("look %{x} stops at %{y:.2f}"),
    }
    top = max([3.0, *z, *(min(b, CEILING) for _, b in bounds)])
    return {
        "data": [seen, boundary] if numbers else [],
        "layout": {
            "xaxis": {"range": [0.5, max(watch.settings.count, len(numbers), 2) + 0.5], "dtick": 1, "tickformat": ",d"},
            "yaxis": {"range": [min(-1.0, *z) if z else -1.0, top + 0.3]},
            "showlegend": True,
            "meta": {
                "finding": fill(
                    gettext("The last look lies {z:.1f} standard deviations towards harm."), z=z[-1] if z else 0.0
                ),
                "empty": gettext("No look has been taken yet."),
                "rows": gettext("look"),
            },
        },
    }
