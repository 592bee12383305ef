"""What stands in a mail: in the reader's language and zone, as text and as simple HTML, with the link and a way out."""

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, override

from apps.accounts.models import User
from apps.notices.choosing import choices_of, mail_address, zone_of_reader
from apps.notices.kinds import title_of
from apps.notices.models import MailTrial, NoticeChoices, NoticeMail
from apps.pages.moments import stamp_of, zone_words
from apps.pages.sentences import plain

MOST_SUBJECT = 180  # characters
LANGUAGES = frozenset(code for code, _ in settings.LANGUAGES)


def letter_of(mail: NoticeMail) -> EmailMultiAlternatives:
    choices = choices_of(mail.person)
    notice = mail.notice
    with override(_language(choices)), timezone.override(zone_of_reader(choices)):
        facts = {
            "title": str(title_of(notice.kind)),
            "severity": notice.get_severity_display(),
            "project": notice.project.name,
            "words": plain(notice.sentence, notice.parts),
            "why": mail.get_reason_display(),
            "since": gettext("Since {at}, {zone}.").format(at=stamp_of(notice.opened_at), zone=zone_words()),
            "times": gettext("{n} times.").format(n=notice.times_seen) if notice.times_seen > 1 else "",
            "link": _link(reverse("notices:notice", args=[notice.pk])),
        }
        subject = f"[{facts['project']}] {facts['severity']}: {facts['title']}"
        return _letter(mail.person, mail_address(choices), subject, facts, f"notice-{notice.pk}-mail-{mail.pk}")


def trial_letter(trial: MailTrial) -> EmailMultiAlternatives:
    choices = choices_of(trial.person)
    with override(_language(choices)), timezone.override(zone_of_reader(choices)):
        facts = {
            "title": gettext("A test"),
            "words": gettext("Mail from FastLoop Console reaches you."),
            "since": gettext("Sent {at}, {zone}.").format(at=stamp_of(trial.created_at), zone=zone_words()),
            "link": _link(reverse("notices:notices")),
        }
        subject = gettext("A test from FastLoop Console")
        moment = int(trial.created_at.timestamp())
        return _letter(trial.person, trial.mail_to, subject, facts, f"test-{trial.person_id}-{moment}")


def _letter(person: User, to: str, subject: str, facts: dict[str, str], name: str) -> EmailMultiAlternatives:
    """The name is the same at each try, so that a mail that was sent twice is one to whoever reads it."""
    own = _link(reverse("notices:choices"))
    facts = facts | {"choices": own, "name": str(person)}
    letter = EmailMultiAlternatives(
        subject=_one_line(subject)[:MOST_SUBJECT],
        body=_text(facts),
        to=[_one_line(to)],
        headers={
            "Message-ID": f"<{name}@{settings.INSTANCE_ID}.fastloop>",
            "List-Unsubscribe": f"<{own}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    letter.attach_alternative(render_to_string("notices/mail.html", facts), "text/html")
    return letter


def _text(facts: dict[str, str]) -> str:
    head = [facts["title"], facts.get("severity", ""), facts.get("project", "")]
    lines = [
        " · ".join(part for part in head if part),
        "",
        facts["words"],
        "",
        *(facts[name] for name in ("why", "since", "times") if facts.get(name)),
        "",
        facts["link"],
        "",
        "-- ",
        gettext("Choose what you get and when: {link}").format(link=facts["choices"]),
    ]
    return "\n".join(lines) + "\n"


def _one_line(text: str) -> str:
    """A header has one line, whatever a project is called."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _link(path: str) -> str:
    return settings.CONSOLE_URL.rstrip("/") + path


def _language(choices: NoticeChoices) -> str:
    return choices.language if choices.language in LANGUAGES else settings.LANGUAGE_CODE
