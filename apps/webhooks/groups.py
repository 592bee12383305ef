"""Events as a form offers them: by what people want to hear of, and one by one below."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.audit.verbs import IN_PROJECTS


@dataclass(frozen=True)
class VerbGroup:
    name: str
    title: str | Promise
    verbs: frozenset[str]


def _all_of(*prefixes: str) -> frozenset[str]:
    return frozenset(str(verb) for verb in IN_PROJECTS if verb.startswith(prefixes))


GROUPS = (
    VerbGroup("alarms", _("Alarms: raised and resolved"), _all_of("alert.")),
    VerbGroup("verdicts", _("Verdicts of the gates, and when somebody overrides them"), _all_of("verdict.", "gates.")),
    VerbGroup("releases", _("Releases: rollouts, promotions, what serves"), _all_of("rollout.", "model.")),
    VerbGroup("laps", _("SLA: laps that close, also late ones"), _all_of("lap.", "target.")),
    VerbGroup("runs", _("Runs and sweeps: started, completed, failed"), _all_of("run.", "sweep.", "online.")),
    VerbGroup(
        "labels",
        _("Data and labels: uploads, reviews, automatic labels"),
        _all_of("examples.", "example.", "review.", "gold.", "auto_labels.", "labels.", "annotator."),
    ),
    VerbGroup(
        "settings",
        _("Settings: labels, members, policies, archive"),
        _all_of(
            "project.", "schema.", "guidelines.", "member.", "queue.", "gate_policy.", "release_policy.", "feedback."
        ),
    ),
)


def verbs_chosen(groups: list[str], verbs: list[str]) -> set[str]:
    """All of the groups, and the single ones."""
    return set(verbs).union(*(group.verbs for group in GROUPS if group.name in groups))


def groups_within(verbs: list[str]) -> list[str]:
    """Those that are wanted whole."""
    return [group.name for group in GROUPS if group.verbs <= set(verbs)]
