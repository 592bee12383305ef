"""Notices, who was told of them, what was said about them, and how each person wants to hear."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy

from apps.projects.models import Project
from apps.projects.policies.models import PolicyVersion
from apps.work.leases import Leased


class NoticeLevel(models.TextChoices):
    """As apps/rules/notices has them, with their words."""

    ALARM = "alarm", gettext_lazy("Alarm")
    WARNING = "warning", gettext_lazy("Warning")
    INFO = "info", gettext_lazy("News")


class Notice(models.Model):
    """One cause in one project, open until somebody resolves it or what it is about ends. `kind` is in apps/notices/kinds.py.

    `sentence` and `subject` are of the newest entry of the trail that it tells of, `sequence` its place there. `turn` counts the
    changes by people, so that a slower one is told who was first.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=40)
    cause = models.CharField(max_length=120)
    severity = models.CharField(max_length=8, choices=NoticeLevel.choices)
    sentence = models.CharField(max_length=400)
    parts = models.JSONField(default=dict)  # of the sentence
    subject = models.CharField(max_length=120)
    sequence = models.PositiveIntegerField()
    opened_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    times_seen = models.PositiveIntegerField(default=1)
    turn = models.PositiveIntegerField(default=0)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    snoozed_until = models.DateTimeField(null=True)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="notices_assigned"
    )
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    note = models.CharField(max_length=400, blank=True)
    note_parts = models.JSONField(default=dict)  # where the console itself wrote it

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "cause"], condition=models.Q(resolved_at=None), name="notices_one_open_cause"
            )
        ]
        indexes = [
            models.Index(fields=["project", "-id"], name="notices_newest"),
            models.Index(
                fields=["snoozed_until"], condition=models.Q(snoozed_until__isnull=False), name="notices_snoozed"
            ),
        ]

    def snoozed(self, at: datetime) -> bool:
        return self.resolved_at is None and self.snoozed_until is not None and self.snoozed_until > at

    def __str__(self) -> str:
        return self.sentence


class NoticeTold(models.Model):
    """That somebody was told of a notice behind the bell; unread until they open it. Told again, it is unread again."""

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="tellings")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices_told")
    told_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["notice", "person"], name="notices_told_once")]
        indexes = [models.Index(fields=["person"], condition=models.Q(read_at=None), name="notices_unread")]

    def __str__(self) -> str:
        return f"{self.person}: {self.notice}"


class NoticeComment(models.Model):
    """What somebody wrote about a notice. It stays as it was written."""

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="comments")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    by_name = models.CharField(max_length=250)  # as shown then
    at = models.DateTimeField()
    text = models.TextField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.by_name}: {self.text[:60]}"


class NoticePolicyVersion(PolicyVersion):
    """Who in a project is told of what (apps.rules.notices.policy)."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="notice_policies")

    class Meta(PolicyVersion.Meta):
        abstract = False
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="notices_policy_once")]

    def __str__(self) -> str:
        return f"notice policy {self.number} of {self.project}"


class NoticeChoices(models.Model):
    """How a person wants to hear. Without a row the usual counts. `language` and `zone` are those of their newest page, in
    which their mail is written; a zone that they chose for their account goes first."""

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notice_choices", primary_key=True
    )
    levels = models.JSONField(default=dict)  # “kind.severity” or “assigned” to a channel, where it is not the usual one
    mail_to = models.EmailField(blank=True)  # empty: the address of the account
    language = models.CharField(max_length=10, blank=True)
    zone = models.CharField(max_length=63, blank=True)
    quiet_begins = models.TimeField(null=True)
    quiet_ends = models.TimeField(null=True)
    alarms_pass = models.BooleanField(default=True)  # alarms come in quiet hours too

    def __str__(self) -> str:
        return f"choices of {self.person}"


class MailState(models.TextChoices):
    WAITING = "waiting", gettext_lazy("Waiting")
    SENT = "sent", gettext_lazy("Sent")
    FAILED = "failed", gettext_lazy("Given up")
    DROPPED = "dropped", gettext_lazy("Not needed any more")


class MailReason(models.TextChoices):
    """Why somebody is written to; it stands in the mail."""

    RAISED = "raised", gettext_lazy("It is new.")
    WORSENED = "worsened", gettext_lazy("It is louder than before.")
    BACK = "back", gettext_lazy("It was snoozed and is back.")
    ASSIGNED = "assigned", gettext_lazy("It was assigned to you.")


class Mailed(Leased):
    """One mail on its way, tried until it is taken or given up."""

    state = models.CharField(max_length=10, choices=MailState.choices, default=MailState.WAITING)
    created_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True)  # none once it ended
    tried_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)
    parts = models.JSONField(default=dict)  # of the error

    class Meta:
        abstract = True


class NoticeMail(Mailed):
    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="mails")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notice_mails")
    reason = models.CharField(max_length=10, choices=MailReason.choices)

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["next_at"], condition=models.Q(state=MailState.WAITING), name="notices_mail_due"),
            models.Index(fields=["created_at"], name="notices_mail_old"),
        ]

    def __str__(self) -> str:
        return f"{self.reason} to {self.person}"


class MailTrial(Mailed):
    """The newest test that somebody sent themselves; tried once."""

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mail_trial", primary_key=True
    )
    mail_to = models.EmailField()

    def __str__(self) -> str:
        return f"test to {self.mail_to}"
