"""Every alarm is scored later: whether answers of the time after it were wrong more often, by the labels that came back."""

from datetime import datetime, timedelta

from django.db import transaction

from apps.audit.services import event_record
from apps.audit.verbs import Verb
from apps.live.publish import look_again
from apps.live.topics import News, Topic
from apps.monitoring.models import Alert, AlertVerdict, Feedback
from apps.monitoring.monitors.evidence import maturity_of
from apps.monitoring.monitors.policies import MONITOR_POLICY
from apps.monitoring.monitors.reference import MonitorReference
from apps.projects.models import Project
from apps.projects.policies.selectors import policy_in_force
from apps.rules.feedback import LABEL
from apps.rules.log_sample import evenly
from apps.rules.monitors.verdicts import AlarmEvidence, AlarmJudgment, judge_alarm
from apps.rules.sentences import parts_of, sentence
from apps.work.alone import alone

AFTER = timedelta(days=1)  # answers of so long after the window count too
WAIT = timedelta(days=7)  # for labels, beyond their maturity; then it stays undecided


def alarms_judge(*, project: Project, reference: MonitorReference, at: datetime) -> list[Alert]:
    """Those whose labels are mature by now. Only alarms about the model that still serves can be held against its holdout; those of
    an earlier one stay undecided."""
    maturity = maturity_of(project)
    waiting = Alert.objects.filter(project=project, verdict="", opened_at__lte=at - maturity).exclude(monitors=[])
    judged = []
    for alert in waiting.select_related("check_row").order_by("pk")[:50]:
        with alone("the verdict on an alarm", alert.pk):
            if (found := _judgment(alert, reference, maturity, at)) is not None:
                judged.append(alarm_judged(alert=alert, found=found, at=at))
    return judged


def _judgment(alert: Alert, reference: MonitorReference, maturity: timedelta, at: datetime) -> AlarmJudgment | None:
    """By labels that came back, and by those of its own lane that judge. None while they may still come."""
    since, until = alert.window_since, alert.window_until
    if since is None or until is None:
        return AlarmJudgment("undecided", sentence("Its window is not known."))
    if at < until + AFTER + maturity:
        return None
    holdout = reference.holdout()
    rows = list(
        Feedback.objects.filter(
            project=alert.project,
            name=LABEL,
            model_number=reference.model_number,
            answered_at__gt=since,
            answered_at__lte=until + AFTER,
            worth__isnull=False,
        ).values_list("worth", "inference_id", "share")
    )
    came = evenly([worth for worth, _, _ in rows], [name for _, name, _ in rows], [share for _, _, share in rows])
    judged = reference.slice_audited(alert.pk)
    evidence = AlarmEvidence(
        wrong=len([worth for worth in came if not worth]) + sum(each.wrong for each in judged),
        answers=len(came) + len(judged),
        reference_wrong=int(len(holdout.right) - holdout.right.sum()),
        reference_answers=len(holdout.right),
        tolerance=_tolerance(alert),
    )
    found = judge_alarm(evidence)
    return None if found.verdict == AlertVerdict.UNDECIDED and at < until + AFTER + maturity + WAIT else found


def _tolerance(alert: Alert) -> float:
    """The largest that its monitors have, else that of the monitor of losses where nobody set it."""
    policy = policy_in_force(MONITOR_POLICY, alert.project)
    named = [each for name in alert.monitors if (each := policy.named(name)) is not None]
    return max((float(getattr(each.typed, "tolerance", 0.02)) for each in named), default=0.02)


@transaction.atomic
def alarm_judged(*, alert: Alert, found: AlarmJudgment, at: datetime) -> Alert:
    """Once; what is judged stays so."""
    row = Alert.objects.select_for_update(no_key=True).get(pk=alert.pk)
    if row.verdict:
        return row
    row.verdict, row.judged_at = found.verdict, at
    row.verdict_words, row.verdict_parts = found.reason[:400], parts_of(found.reason)
    row.save(update_fields=["verdict", "judged_at", "verdict_words", "verdict_parts"])
    event_record(
        project_id=row.project_id,
        verb=Verb.ALERT_JUDGED,
        subject=f"alert {row.pk}",
        by=None,
        at=at,
        sentence=sentence("The alarm “{title}” was judged: {reason}", title=row.title, reason=found.reason),
        after={"verdict": row.verdict},
    )
    look_again(Topic.PROJECT.of(row.project_id), News.ALERT, row.pk)
    return row
