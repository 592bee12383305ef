"""Each stage as a card."""

from datetime import datetime

from django.utils.translation import gettext, gettext_lazy

from apps.evaluation.models import Outcome, Report
from apps.labeling.selectors import QueueCounts
from apps.loop.cards.card import Action, Card, Judge, State
from apps.loop.cards.facts import Collecting, Deploying, Evaluating, Monitoring, TrainingFacts
from apps.loop.mending.selectors import AlarmProposal
from apps.loop.models import MendingLink
from apps.pages.templatetags.wording import briefly, duration, phase
from apps.pages.words import counted
from apps.projects.roles import Permission
from apps.releases.models import ReleaseRequest
from apps.training.models import Run, RunState

PROPOSED = {
    MendingLink.ROLLBACK: (gettext_lazy("Take the release back"), "mending:roll_back"),
    MendingLink.LANE: (gettext_lazy("Ask for its labels"), "mending:lane"),
    MendingLink.RETRAIN: (gettext_lazy("Train on its labels"), "mending:retrain"),
}
CHECKED = {
    "none": State("ok", gettext_lazy("No drift")),
    "drift": State("ok", gettext_lazy("Drift, resolved")),
    "too-few": State("paused", gettext_lazy("Too few answers to tell"), "unsure"),
}


def collect(judge: Judge, facts: Collecting, counts: QueueCounts) -> Card:
    if facts.reading:
        state = State("running", gettext("Reading {file}").format(file=counted(facts.reading, "file")))
    elif facts.new:
        state = State("ok", gettext("Flowing"))
    else:
        state = State("paused", gettext("Nothing new") if counts.examples else gettext("Empty"))
    adds = judge.may(Permission.ADD_EXAMPLES)
    action = Action(gettext("Add examples") if adds else gettext("See the data"), "datasets:data")
    return Card(
        "collect",
        state,
        facts.new,
        gettext("new in 24 h"),
        judge.times("collect", facts.oldest),
        action,
        judge.lateness("collect", facts.oldest),
    )


def annotate(judge: Judge, oldest: datetime | None, counts: QueueCounts) -> Card:
    oldest = oldest if counts.to_label else None
    if counts.to_label:
        state = judge.state("annotate", oldest)
    else:
        state = State("ok", gettext("All labeled")) if counts.examples else State("paused", gettext("No examples yet"))
    action = Action(gettext("Start labeling"), "labeling:desk") if judge.may(Permission.LABEL) else None
    return Card(
        "annotate",
        state,
        counts.to_label,
        gettext("to label"),
        judge.times("annotate", oldest),
        action,
        judge.lateness("annotate", oldest),
    )


def train(judge: Judge, facts: TrainingFacts) -> Card:
    if not facts.learns:
        state = State("paused", gettext("No model learns this kind here yet"), "unsure")
        exports = Action(gettext("Export the labels"), "transfer:export", helps=False)
        return Card("train", state, facts.fresh, gettext("labels to export"), (), exports)
    run, last = facts.open_run, facts.last_run
    action: Action | None = None
    if run:
        state = State("running", gettext("Run {number}, {run}").format(number=run.number, run=run_words(run)))
        action = Action(gettext("Watch run {number}").format(number=run.number), "lineage:run", run.pk, helps=False)
    elif last and last.state == RunState.FAILED:
        state = State("breach", gettext("Run {number} failed").format(number=last.number))
    elif facts.fresh:
        state = judge.state("train", facts.oldest)
    else:
        state = State("ok", gettext("Up to date")) if last else State("paused", gettext("No run yet"))
    if run is None and judge.may(Permission.START_RUN) and (facts.fresh or last):
        action = Action(gettext("Start a run"), "loop:run_start", post=True)
    elif run is None:
        action = Action(gettext("See the runs"), "training:runs", helps=False)
    times = judge.times("train", facts.oldest)
    starts = (gettext("Starts by itself"), facts.trigger.brief)
    return Card(
        "train",
        state,
        facts.fresh,
        gettext("new labels"),
        (*times, starts),
        action,
        judge.lateness("train", facts.oldest),
    )


def evaluate(judge: Judge, facts: Evaluating) -> Card:
    action = Action(gettext("Read the verdict"), "lineage:run", facts.run.pk, helps=False) if facts.run else None
    if facts.waiting:
        state = State("running", gettext("Judging"))
    elif facts.run and facts.report:
        state = _verdict(facts.run, facts.report)
    else:
        state = State("paused", gettext("No verdict yet"))
    times = judge.times("evaluate", facts.oldest)
    return Card(
        "evaluate", state, facts.waiting, gettext("to judge"), times, action, judge.lateness("evaluate", facts.oldest)
    )


def _verdict(run: Run, report: Report) -> State:
    if report.outcome == Outcome.PASS:
        return State("ok", gettext("Run {number} passed").format(number=run.number))
    if report.outcome == Outcome.FAIL:
        return State("breach", gettext("Run {number} failed a gate").format(number=run.number))
    return State("paused", gettext("Run {number} cannot tell").format(number=run.number), "unsure")


def deploy(judge: Judge, facts: Deploying) -> Card:
    candidate, champion, loading = facts.candidate, facts.champion, facts.loading
    if facts.asked:
        return _decide(judge, facts.asked)
    since = loading.at if loading else candidate.report.finished_at if candidate else None
    if loading:
        state = State("running", gettext("v{number} is being loaded").format(number=loading.version.number))
    elif candidate:
        state = judge.state("deploy", since)
    else:
        serves = gettext("v{number} serves").format(number=champion.number) if champion else ""
        state = State("ok", serves) if serves else State("paused", gettext("No model serves yet"))
    promotes = candidate is not None and judge.may(Permission.PROMOTE)
    if candidate and promotes:
        passed = candidate.report.outcome == Outcome.PASS
        action = Action(gettext("Promote v{number}").format(number=candidate.number), "releases:models", helps=passed)
    else:
        action = Action(gettext("Open models"), "releases:models", helps=False)
    number, unit = (
        (1, gettext("to promote"))
        if candidate and not loading
        else (1, gettext("loading"))
        if loading
        else (0, gettext("to promote"))
    )
    return Card("deploy", state, number, unit, judge.times("deploy", since), action, judge.lateness("deploy", since))


def _decide(judge: Judge, asked: ReleaseRequest) -> Card:
    """Somebody else than who asked is waited for."""
    number, decides = asked.version.number, judge.may(Permission.APPROVE_RELEASE)
    state = State("warn", gettext("v{number} waits for a second person").format(number=number))
    words = gettext("Decide on v{number}").format(number=number) if decides else gettext("Open models")
    action, late = Action(words, "releases:models", helps=decides), judge.lateness("deploy", asked.at)
    return Card("deploy", state, 1, gettext("to approve"), judge.times("deploy", asked.at), action, late)


def monitor(judge: Judge, facts: Monitoring) -> Card:
    check = facts.check
    action: Action | None = Action(gettext("Open the monitor"), "monitoring:monitor", helps=False)
    if facts.alerts:
        state = State(
            "breach",
            gettext("Drift alarm") if facts.alerts == 1 else gettext("{alerts} alarms").format(alerts=facts.alerts),
        )
        action = _follow(facts.proposal)
    elif not facts.serves:
        state = State("paused", gettext("Nothing serves yet"))
    elif check is None:
        state = State("paused", gettext("Not checked yet"))
    else:
        state = CHECKED[check.outcome]
    if not facts.alerts and facts.serves and judge.may(Permission.RESOLVE_ALERT):
        action = Action(gettext("Check for drift"), "loop:drift_check", post=True, helps=False)
    checked = gettext("{age} ago").format(age=briefly(judge.age_s(check.at))) if check else gettext("never")
    lines = ((gettext("Oldest open"), briefly(judge.age_s(facts.oldest))), (gettext("Checked"), checked))
    unit = gettext("alarm open") if facts.alerts == 1 else gettext("alarms open")
    return Card("monitor", state, facts.alerts, unit, lines, action, judge.lateness("monitor", facts.oldest))


def _follow(proposal: AlarmProposal | None) -> Action:
    """What an alarm proposes is one click here too; else the way to it."""
    if proposal is None:
        return Action(gettext("See the alarm"), "monitoring:monitor")
    if proposal.act is None:
        return Action(gettext("See the alarm"), "mending:alarm", proposal.alert_id)
    words, url_name = PROPOSED[proposal.act]
    return Action(str(words), url_name, proposal.alert_id, post=True)


def run_words(run: Run) -> str:
    """queued | canceling | reading labels | 62 %, 7 min left."""
    if run.cancel_requested_at:
        return gettext("canceling")
    if run.state == RunState.QUEUED:
        return gettext("queued")
    if not run.steps_total or run.phase not in ("", "training"):
        return phase(run.phase or "training")
    left = (
        ""
        if run.seconds_left is None
        else gettext(", {seconds_left} left").format(seconds_left=duration(run.seconds_left))
    )
    return f"{run.percent} %{left}"
