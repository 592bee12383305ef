"""The bell, the list, one notice, the toasts: what each person sees, and what a stranger learns."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.audit.verbs import Verb
from apps.notices import selectors
from apps.notices.choosing import reader_seen
from apps.notices.models import Notice, NoticeChoices, NoticeTold
from apps.notices.services import notice_assign, notice_comment, notice_resolve, notice_snooze
from apps.projects.membership import member_remove
from tests.api import api_of
from tests.conftest import NOON

UTC = ZoneInfo("UTC")
BELL, LIST = reverse("notices:bell"), reverse("notices:notices")


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def notice(project, drifted, collected, now):
    drifted(project, at=now)
    collected(now)
    return Notice.objects.get()


def page_of(notice, name="notice"):
    return reverse(f"notices:{name}", args=[notice.pk])


def test_the_bell_stands_on_every_page_and_counts_what_this_person_has_not_read(as_, project, mona, ada, notice):
    for address in ("/projects/", f"/projects/{project.pk}/", "/account/", LIST):
        assert f'hx-get="{BELL}"' in as_(mona).get(address).text, address
    assert "1 unread notice" in as_(mona).get(BELL).text
    assert "none unread" in as_(ada).get(BELL).text
    as_(mona).get(page_of(notice))
    assert "none unread" in as_(mona).get(BELL).text
    assert "1 unread notice" in as_(mona.__class__.objects.get(username="lin")).get(BELL).text


def test_the_bell_is_silent_about_what_is_snoozed_closed_archived_or_of_a_project_that_one_left(
    as_, project, mona, lin, alma, notice, now
):
    notice_snooze(notice=notice, span="week", by=lin, at=now, zone=UTC)
    assert selectors.bell_of(mona, now).unread == 0
    assert selectors.bell_of(mona, now + timedelta(days=7)).unread == 1, "past its end, though nobody woke it yet"
    notice_snooze(notice=notice, span="", by=lin, at=now, zone=UTC)
    assert selectors.bell_of(mona, now).unread == 1
    member_remove(project=project, user_id=mona.pk, by=alma, at=now)
    assert selectors.bell_of(mona, now).unread == 0
    project.archived_at = now
    project.save()
    assert selectors.bell_of(lin, now).unread == 0


def test_the_list_has_all_projects_of_a_person_and_filters(
    as_, make_project, project, mona, drifted, happens, collected, now
):
    other = make_project(name="Other")
    drifted(project, at=now)
    happens(other, Verb.LAP_CLOSED, at=now, breached=True, p90_s=9.0)
    happens(other, Verb.RUN_FAILED, at=now, state="failed")
    collected(now)
    browser = as_(mona)

    def listed(query=""):
        return [each.kind for each in browser.get(f"{LIST}?{query}").context["page"]]

    assert sorted(listed()) == ["monitor", "run-failed", "sla-breach"]
    assert listed("severity=alarm") == ["sla-breach"]
    assert listed(f"project={project.pk}") == ["monitor"]
    failed = Notice.objects.get(kind="run-failed")
    notice_snooze(notice=failed, span="hour", by=mona, at=now, zone=UTC)
    assert (listed("state=snoozed"), sorted(listed())) == (["run-failed"], ["monitor", "sla-breach"])
    notice_resolve(notice=Notice.objects.get(kind="sla-breach"), note="Late labels.", by=mona, at=now)
    assert (listed("state=resolved"), listed()) == (["sla-breach"], ["monitor"])
    notice_assign(notice=failed, username="mona", by=mona, at=now)
    assert listed("state=all&mine=1") == ["run-failed"]
    assert len(listed("state=all")) == 3
    assert listed("state=nonsense&severity=%00&project=²&page=x") == ["monitor"]


def test_each_role_sees_the_kinds_that_its_pages_show(as_, project, ada, rosa, mona, happens, collected, now):
    happens(project, Verb.LAP_CLOSED, at=now, breached=True, p90_s=9.0)
    happens(project, Verb.RUN_FAILED, at=now, state="failed")
    collected(now)
    seen = {p.username: [n.kind for n in as_(p).get(LIST).context["page"]] for p in (ada, rosa, mona)}
    assert seen == {"ada": [], "rosa": ["sla-breach"], "mona": ["run-failed", "sla-breach"]}
    lap = Notice.objects.get(kind="sla-breach")
    assert "Resolve" not in as_(rosa).get(page_of(lap)).text
    assert as_(rosa).post(page_of(lap, "resolve"), {"note": "x"}).status_code == 403


def test_an_empty_list_says_when_something_comes(as_, mona):
    page = as_(mona).get(LIST).text
    assert "Nothing needs you" in page and "Choose what you hear" in page


@pytest.mark.parametrize("act", ["notice", "snooze", "assign", "comment", "resolve"])
def test_a_strangers_notice_is_not_there(as_, mallory, notice, act):
    browser = as_(mallory)
    answer = browser.get(page_of(notice)) if act == "notice" else browser.post(page_of(notice, act))
    assert answer.status_code == 404
    assert "ham rose" not in answer.text
    assert as_(mallory).get(reverse("notices:notice", args=[10**9])).status_code == 404


def test_no_act_is_done_without_the_token_of_the_page(mona, notice):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(mona)
    for act in ("snooze", "assign", "comment", "resolve"):
        given = {"span": "hour", "username": "mona", "text": "x", "note": "x"}
        assert browser.post(page_of(notice, act), given).status_code == 403
    notice.refresh_from_db()
    assert (notice.turn, notice.resolved_at, notice.comments.count()) == (0, None, 0)


def test_acts_of_the_page(as_, mona, lin, notice):
    browser = as_(mona)
    for act, given in (
        ("snooze", {"span": "tomorrow", "over": "0"}),
        ("assign", {"username": "lin", "over": "1"}),
        ("comment", {"text": "Look at 13:00."}),
    ):
        assert browser.post(page_of(notice, act), given)["Location"] == page_of(notice)
    page = browser.get(page_of(notice)).text
    assert "Snoozed until" in page and "with Lin" in page and "Look at 13:00." in page
    late = browser.post(page_of(notice, "resolve"), {"note": "My words.", "over": "0"})
    assert late.status_code == 409
    assert "Mona was first: it is snoozed until" in late.text and "My words." in late.text
    browser.post(page_of(notice, "resolve"), {"note": "A holiday.", "over": "2"})
    page = browser.get(page_of(notice)).text
    assert "A holiday." in page and "Resolve the notice" not in page


def test_what_cannot_be_taken_stays_in_the_form_with_its_sentence(as_, mona, notice):
    browser = as_(mona)
    answer = browser.post(page_of(notice, "comment"), {"text": "x" * 100_000})
    assert answer.status_code == 422 and "100,000 characters; at most 4,000 fit" in answer.text
    answer = browser.post(page_of(notice, "comment"), {"text": "a\x00b"})
    assert answer.status_code == 422 and "NUL" in answer.text
    assert browser.post(page_of(notice, "resolve"), {"note": ""}).status_code == 422


def test_a_comment_is_shown_as_it_was_written(as_, mona, lin, notice):
    notice_comment(notice=notice, text="<script>alert(1)</script>\nsecond & line", by=lin, at=NOON)
    page = as_(mona).get(page_of(notice)).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\nsecond &amp; line" in page


def test_a_project_in_the_archive_can_be_read_and_its_notices_not_be_changed(as_, project, mona, notice):
    project.archived_at = NOON
    project.save()
    assert as_(mona).get(page_of(notice)).status_code == 200
    answer = as_(mona).post(page_of(notice, "resolve"), {"note": "x"})
    assert answer.status_code == 409 and "is in the archive" in answer.text
    assert list(as_(mona).get(LIST).context["page"]) == []


def test_all_are_read_at_once(as_, mona, lin, notice):
    as_(mona).post(reverse("notices:read_all"))
    unread = NoticeTold.objects.filter(read_at=None).values_list("person__username", flat=True)
    assert sorted(unread) == ["alma", "lin"]


def toasts(browser, since, shown=""):
    return browser.get(reverse("notices:toasts"), {"since": since, "shown": shown})


def test_toasts_are_few_and_none_comes_twice(as_, project, mona, ada, drifted, collected, now):
    browser, since = as_(mona), int(now.timestamp())
    assert toasts(browser, since).status_code == 204
    for n in range(5):
        drifted(project, kind=f"cause-{n}", detail=f"cause {n}.", at=now)
    collected(now)
    page = toasts(browser, since).text
    assert page.count("cause ") == 3 and "and 2 more" in page
    keys = [part.split('"')[0] for part in page.split('data-key="')[1:]]
    assert toasts(browser, since, ",".join(keys)).status_code == 204
    assert toasts(as_(ada), since).status_code == 204
    assert toasts(browser, since + 3600).status_code == 204, "told before the page was opened"
    for nonsense in ("", "x", "9" * 30):
        assert toasts(browser, nonsense).status_code == 204


def test_a_toast_says_how_loud_it_is(as_, project, mona, drifted, happens, collected, now):
    drifted(project, detail="<b>bold</b>.", at=now)
    happens(project, Verb.LAP_CLOSED, at=now, breached=True, p90_s=9.0)
    collected(now)
    page = toasts(as_(mona), int(now.timestamp())).text
    assert 'class="toast warn"' in page and 'class="toast breach"' in page
    assert "&lt;b&gt;bold" in page and page.index("toast breach") < page.index("toast warn"), "alarms first"


def test_the_bell_remembers_in_which_language_and_zone_somebody_reads(as_, mona):
    browser = as_(mona)
    browser.cookies["django_language"], browser.cookies["time_zone"] = "es", "Europe/Madrid"
    browser.get(BELL)
    kept = NoticeChoices.objects.get(person=mona)
    assert (kept.language, kept.zone) == ("es", "Europe/Madrid")
    browser.cookies["time_zone"] = "../../etc/passwd"
    browser.get(BELL)
    kept.refresh_from_db()
    assert kept.zone == "UTC"
    reader_seen(person=mona, language="es", zone="../../etc/passwd")
    kept.refresh_from_db()
    assert kept.zone == ""


def test_the_api_does_what_the_pages_do(project, mona, lin, mallory, notice):
    api = api_of(mona)
    (one,) = api.get("/api/v1/notices/").json()["results"]
    assert (one["id"], one["kind"], one["severity"], one["unread"]) == (notice.pk, "monitor", "warning", True)
    at = f"/api/v1/notices/{notice.pk}/"
    assert api.post(f"{at}snooze/", {"span": "hour", "over": 0}, format="json").json()["turn"] == 1
    assert api.post(f"{at}snooze/", {"span": "week", "over": 0}, format="json").json()["code"] == "notice_changed"
    assert api.post(f"{at}assign/", {"username": "lin"}, format="json").json()["assigned_to"] == "lin"
    assert api.post(f"{at}assign/", {"username": "ada"}, format="json").status_code == 422
    assert api.post(f"{at}comments/", {"text": "Look."}, format="json").json()["by"] == "Mona"
    assert api.post(f"{at}comments/", {"text": "x" * 100_000}, format="json").status_code in (400, 422)
    assert api.post(f"{at}resolve/", {"note": "Done."}, format="json").json()["resolved_by"] == "mona"
    assert [each["text"] for each in api.get(at).json()["comments"]] == ["Look."]
    assert api.get("/api/v1/notices/?state=resolved&severity=warning").json()["results"][0]["note"] == "Done."
    assert api_of(mallory).get(at).status_code == 404
    assert api_of(mallory).post(f"{at}resolve/", {"note": "x"}, format="json").status_code == 404
    assert api_of(lin).post("/api/v1/notices/read/").json() == {"read": 0}


def test_an_alarm_leads_to_its_notice(as_, mona, mallory, notice):
    alert_id = int(notice.subject.split()[-1])
    address = reverse("notices:of_alarm", args=[notice.project_id, alert_id])
    assert address in as_(mona).get(reverse("monitoring:monitor", args=[notice.project_id])).text
    assert as_(mona).get(address).url == page_of(notice)
    assert as_(mallory).get(address).status_code == 404
    notice.delete()
    answer = as_(mona).get(address, follow=True)
    assert answer.redirect_chain[0][0] == reverse("mending:alarm", args=[notice.project_id, alert_id])
    assert "There is no notice of this alarm" in answer.text
