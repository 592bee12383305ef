"""Which entries of the audit trail become notices: at which severity, for whom, of which cause, and what ends them.

The one place that says so. Another kind is a `NoticeKind` and its line in `NOTICE_KINDS`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.audit.models import Event
from apps.audit.verbs import Verb
from apps.notices import places
from apps.projects.roles import Permission
from apps.rules.notices import NoticeSeverity
from apps.rules.registry import Registry

Severities = Callable[[Event], NoticeSeverity | None]
ALARM, WARNING, INFO = NoticeSeverity
OF_MONITOR = "monitor"  # the kind of what a monitor raised


def _always(severity: NoticeSeverity) -> Severities:
    return lambda event: severity


def _any(event: Event) -> bool:
    return True


@dataclass(frozen=True)
class NoticeKind:
    """`opens` says how loud an entry is, None where it is nothing to hear of; `closes` whether an entry ends it.

    Whoever lacks `permission` neither sees nor hears of it. `each_subject`: one notice for each thing it is about; else one for the
    project, which counts them. A `passing` one asks for nothing: it is read, and done with. `place` is where it leads.
    """

    name: str
    title: str | Promise
    permission: Permission
    severities: tuple[NoticeSeverity, ...]
    opens: Mapping[Verb, Severities]
    place: Callable[[int, str], str]
    closes: Mapping[Verb, Callable[[Event], bool]] = field(default_factory=dict)
    each_subject: bool = False
    passing: bool = False
    of_monitor: bool = False  # closed together with the alarm that its subject names

    def severity_of(self, event: Event) -> NoticeSeverity | None:
        """None: the entry is nothing to hear of."""
        opening = self.opens.get(Verb(event.verb))
        return opening(event) if opening else None

    def ended_by(self, event: Event) -> bool:
        closing = self.closes.get(Verb(event.verb))
        return bool(closing and closing(event))

    def cause(self, subject: str) -> str:
        """What notices of one cause have in common."""
        return f"{self.name}: {subject}" if self.each_subject else self.name


def _of_monitor(event: Event) -> NoticeSeverity:
    """Entries of earlier releases do not say it: they are taken for alarms."""
    return WARNING if event.after.get("severity") == "warns" else ALARM


def _of_lap(event: Event) -> NoticeSeverity | None:
    return ALARM if event.after.get("breached") else None


def _by_itself(event: Event) -> NoticeSeverity | None:
    """What a person switched off they know of."""
    return None if event.actor_username else WARNING


def _of_abort(event: Event) -> NoticeSeverity:
    return WARNING if event.actor_username else ALARM


def _in_time(event: Event) -> bool:
    return not event.after.get("breached")


def _ends(*verbs: Verb) -> dict[Verb, Callable[[Event], bool]]:
    return dict.fromkeys(verbs, _any)


NOTICE_KINDS = Registry[NoticeKind](
    group="fastloop.notice_kinds",
    noun="kind of notice",
    kind=NoticeKind,
    own=(
        NoticeKind(
            OF_MONITOR,
            _("A monitor sounds"),
            Permission.VIEW_MONITOR,
            (ALARM, WARNING),
            {Verb.ALERT_RAISED: _of_monitor, Verb.ALERT_WORSENED: _of_monitor},
            places.alarm,
            closes=_ends(Verb.ALERT_RESOLVED),
            each_subject=True,
            of_monitor=True,
        ),
        NoticeKind(
            "monitor-closed",
            _("An alarm of a monitor is closed"),
            Permission.VIEW_MONITOR,
            (INFO,),
            {Verb.ALERT_RESOLVED: _always(INFO)},
            places.alarm,
            each_subject=True,
            passing=True,
        ),
        NoticeKind(
            "rollout-aborted",
            _("A rollout is aborted"),
            Permission.VIEW_RUNS,
            (ALARM, WARNING),
            {Verb.ROLLOUT_ABORTED: _of_abort},
            places.rollout,
            closes=_ends(Verb.MODEL_PROMOTED),
        ),
        NoticeKind(
            "rolled-back",
            _("The champion is rolled back"),
            Permission.VIEW_RUNS,
            (WARNING,),
            {Verb.MODEL_ROLLED_BACK: _always(WARNING)},
            places.models,
            closes=_ends(Verb.MODEL_PROMOTED),
        ),
        NoticeKind(
            "release-asked",
            _("A release waits for a second person"),
            Permission.APPROVE_RELEASE,
            (WARNING,),
            {Verb.RELEASE_ASKED: _always(WARNING)},
            places.models,
            closes=_ends(Verb.RELEASE_APPROVED, Verb.RELEASE_DECLINED, Verb.RELEASE_REQUEST_ENDED),
            each_subject=True,
        ),
        NoticeKind(
            "gates-refused",
            _("The gates refuse a model"),
            Permission.VIEW_RUNS,
            (WARNING,),
            {Verb.VERDICT_FAIL: _always(WARNING)},
            places.report,
            closes=_ends(Verb.VERDICT_PASS),
        ),
        NoticeKind(
            "run-failed",
            _("A run or a sweep fails"),
            Permission.VIEW_RUNS,
            (WARNING,),
            {Verb.RUN_FAILED: _always(WARNING), Verb.SWEEP_FAILED: _always(WARNING)},
            places.run,
            closes=_ends(Verb.RUN_COMPLETED, Verb.SWEEP_COMPLETED),
        ),
        NoticeKind(
            "sla-breach",
            _("A lap breaks the SLA"),
            Permission.VIEW_SLA,
            (ALARM,),
            {Verb.LAP_CLOSED: _of_lap},
            places.sla,
            closes={Verb.LAP_CLOSED: _in_time},
        ),
        NoticeKind(
            "webhook-off",
            _("A webhook is switched off by itself"),
            Permission.SET_WEBHOOKS,
            (WARNING,),
            {Verb.WEBHOOK_OFF: _by_itself},
            places.webhook,
            closes=_ends(Verb.WEBHOOK_ON, Verb.WEBHOOK_REMOVED),
            each_subject=True,
        ),
    ),
)


def kind_of(name: str) -> NoticeKind | None:
    """None for one whose package is gone."""
    return NOTICE_KINDS.get(name)


def cause_of_alarm(alert_id: int) -> str:
    """Of the notices of one of a monitor's alarms."""
    return NOTICE_KINDS[OF_MONITOR].cause(f"alert {alert_id}")


def title_of(name: str) -> Any:
    found = kind_of(name)
    return found.title if found else name


def verbs_heard() -> frozenset[Verb]:
    """What the reader of the trail has to look at."""
    return frozenset(verb for kind in NOTICE_KINDS.values() for verb in (*kind.opens, *kind.closes))


def kinds_seen(permissions: frozenset[Permission]) -> list[str]:
    """Names of the kinds that somebody with these rights may see."""
    return [kind.name for kind in NOTICE_KINDS.values() if kind.permission in permissions]
