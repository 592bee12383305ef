"""The policy of monitors as rows: its budget, and one small form a monitor, made of the parameters that its type takes."""

from secrets import token_hex
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext, gettext_lazy

from apps.projects.policies.pages import PolicyEdit
from apps.projects.policies.parameters import parameter_fields, parameters_in_words, parameters_initial, parameters_read
from apps.projects.policies.rows import TypedRow, TypedRows
from apps.rules.monitors import MONITORS, DriftMonitor, MonitorPolicy, MonitorSettings
from apps.rules.monitors.policy import MOST_MONITORS, MOST_NAME, MOST_WINDOWS
from apps.rules.rollouts.durations import in_words

SEVERITIES = [("", gettext_lazy("As its type")), ("warns", gettext_lazy("Warns")), ("alarms", gettext_lazy("Alarms"))]
FACTORS = {"more": 2.0, "less": 0.5}  # what one click does to a monitor's share of the budget


class BudgetForm(forms.Form):
    budget = forms.FloatField(
        label=gettext_lazy("False alarms a month"),
        help_text=gettext_lazy("Of all monitors together; 0.5 is one in two months."),
        widget=forms.NumberInput(attrs={"step": "any"}),
    )
    cooldown = forms.CharField(
        max_length=20,
        label=gettext_lazy("Quiet after a release"),
        help_text=gettext_lazy("30m, 1h or 2d: windows that end within it are read and raise nothing."),
    )


class WeighForm(forms.Form):
    monitor = forms.CharField(max_length=MOST_NAME)
    way = forms.ChoiceField(choices=[(name, name) for name in FACTORS])
    set = forms.BooleanField(required=False)  # else it is only shown what that would have changed

    @property
    def factor(self) -> float:
        return FACTORS[self.cleaned_data["way"]]


COMMON = ("on", "severity", "window", "raised_windows", "of_windows", "weight")


class MonitorRow(TypedRow[DriftMonitor]):
    """One monitor."""

    @property
    def fields(self) -> list[forms.BoundField]:
        return [*(self.form[name] for name in COMMON), *self.parameters]

    def settings(self) -> dict[str, Any]:
        """As a policy has it: only what differs from the defaults. The form is valid by then."""
        given = self.form.cleaned_data
        usual = in_words(_usual(self.type).length)
        differing = {
            "name": given["name"] if given["name"] != self.type.name else "",
            "severity": given["severity"],
            "window": given["window"] if given["window"] != usual else "",
            "on": False if given["on"] == "off" else "",
            "raisedWindows": given["raised_windows"] if given["raised_windows"] != 1 else "",
            "ofWindows": given["of_windows"] if given["of_windows"] != 1 else "",
            "weight": given["weight"] if given["weight"] != 1 else "",
            "parameters": parameters_read(self.type.parameters.model_fields, given) or "",
        }
        return {"type": self.type.name} | {name: value for name, value in differing.items() if value != ""}


def row_of(monitor: DriftMonitor, settings: MonitorSettings | None = None) -> MonitorRow:
    """A row with what a policy says; without settings one of its type's defaults."""
    shown = settings or _usual(monitor)
    initial: dict[str, Any] = {
        "name": shown.name,
        "on": "on" if shown.on else "off",
        "severity": str(shown.severity or ""),
        "window": in_words(shown.length),
        "raised_windows": shown.raised_windows,
        "of_windows": shown.of_windows,
        "weight": f"{shown.weight:g}",
    }
    initial |= parameters_initial(monitor.parameters.model_fields, shown.parameters)
    index = token_hex(4)
    return MonitorRow(index, monitor, _form(monitor)(initial=initial, prefix=index))


def rows_of(policy: MonitorPolicy) -> list[MonitorRow]:
    return [row_of(settings.monitor, settings) for settings in policy.monitors]


def row_sent(index: str, monitor: DriftMonitor, post: QueryDict) -> MonitorRow:
    return MonitorRow(index, monitor, _form(monitor)(post, prefix=index))


def monitor_in_words(settings: MonitorSettings) -> str:
    """Its window and persistence, and what differs from the defaults."""
    length = in_words(settings.length)
    windows = gettext("windows of {length}").format(length=length)
    if settings.of_windows > 1:
        windows = gettext("{raised} of {of} windows of {length}").format(
            raised=settings.raised_windows, of=settings.of_windows, length=length
        )
    differing = parameters_in_words(settings.monitor.parameters.model_fields, settings.parameters)
    return "; ".join(part for part in (windows, differing) if part)


def _usual(monitor: DriftMonitor) -> MonitorSettings:
    return MonitorSettings.model_validate({"type": monitor.name})


def _many(label: Any) -> forms.IntegerField:
    return forms.IntegerField(label=label, min_value=1, max_value=MOST_WINDOWS)


def _form(monitor: DriftMonitor) -> type[forms.Form]:
    on = [("on", gettext_lazy("On")), ("off", gettext_lazy("Off"))]
    fields: dict[str, Any] = {
        "name": forms.CharField(required=False, max_length=MOST_NAME, label=gettext_lazy("Name")),
        "on": forms.ChoiceField(choices=on, label=gettext_lazy("It looks")),
        "severity": forms.ChoiceField(choices=SEVERITIES, required=False, label=gettext_lazy("Severity")),
        "window": forms.CharField(max_length=20, label=gettext_lazy("Window"), help_text=gettext_lazy("15m to 28d")),
        "raised_windows": _many(gettext_lazy("Raised windows for an alarm")),
        "of_windows": _many(gettext_lazy("of the newest")),
        "weight": forms.FloatField(
            label=gettext_lazy("Weight"),
            help_text=gettext_lazy("Its part of the budget: 2 has twice that of 1 and alarms sooner."),
            widget=forms.NumberInput(attrs={"step": "any"}),
        ),
    }
    return type("MonitorRowForm", (forms.Form,), fields | parameter_fields(monitor.parameters.model_fields))


MONITOR_ROWS = TypedRows(name="monitor", most=MOST_MONITORS, types=MONITORS, sent=row_sent, new=row_of)


def monitors_posted(post: QueryDict) -> PolicyEdit:
    (rows, only_rows), budget = MONITOR_ROWS.edited(post), BudgetForm(post)

    def said() -> dict[str, Any]:
        return {**budget.cleaned_data, "monitors": [row.settings() for row in rows]}

    return PolicyEdit(rows, said, {"budget_form": budget}, only_rows)
