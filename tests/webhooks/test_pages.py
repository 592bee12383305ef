"""The pages and the API of webhooks: setting up, what is refused, the log, and what each event looks like."""

import json

import jsonschema
import pytest
from django.urls import reverse

from apps.audit.models import Event
from apps.audit.verbs import IN_PROJECTS, PAYLOADS, Verb
from apps.rules.webhooks import WEBHOOK_FORMATS
from apps.slas.services import target_set
from apps.webhooks.models import Webhook, WebhookDelivery
from apps.webhooks.schemas import schema_of
from apps.webhooks.services import webhooks_collect
from tests.api import api_of
from tests.conftest import NOON

ADDRESS = "https://hooks.example.org/fastloop"
GIVEN = {"name": "Ops", "url": ADDRESS, "format": "standard", "groups": ["alarms", "releases"], "verbs": ["run.failed"]}


def _at(name, project, *more):
    return reverse(f"webhooks:{name}", args=[project.pk, *more])


def test_a_webhook_is_added_changed_tested_rotated_switched_off_and_removed(as_, project, mona, sent):
    browser = as_(mona)
    assert "Nobody is told yet" in browser.get(_at("webhooks", project)).content.decode()
    made = browser.post(_at("webhooks", project), GIVEN)
    webhook = Webhook.objects.get()
    assert made["Location"] == _at("webhook", project, webhook.pk)
    assert {"alert.raised", "alert.resolved", "rollout.aborted", "model.promoted", "run.failed"} <= set(webhook.verbs)
    assert webhook.console_url == "http://testserver/"
    page = browser.get(made["Location"]).content.decode()
    assert webhook.secret in page and "No message yet" in page
    browser.post(_at("act", project, webhook.pk, "test"))
    assert "webhook.test" in browser.get(made["Location"]).content.decode()
    before = webhook.secret
    browser.post(_at("act", project, webhook.pk, "rotate"))
    webhook.refresh_from_db()
    assert webhook.secret != before and "signed by the secret before" in browser.get(made["Location"]).content.decode()
    browser.post(_at("webhook", project, webhook.pk), GIVEN | {"name": "On call", "groups": ["alarms"], "verbs": []})
    webhook.refresh_from_db()
    assert (webhook.name, webhook.verbs) == ("On call", sorted(v for v in Verb if v.startswith("alert.")))
    browser.post(_at("act", project, webhook.pk, "off"))
    assert WebhookDelivery.objects.get().state == "dropped"
    assert browser.post(_at("act", project, webhook.pk, "test")).status_code == 422
    browser.post(_at("act", project, webhook.pk, "on"))
    browser.post(_at("remove", project, webhook.pk))
    assert not Webhook.objects.exists()
    said = Event.objects.filter(verb__startswith="webhook.").order_by("pk").values_list("verb", flat=True)
    assert list(said) == [
        *("webhook.added", "webhook.changed", "webhook.changed"),
        *("webhook.switched_off", "webhook.switched_on", "webhook.removed"),
    ]
    assert ADDRESS not in str(list(Event.objects.values_list("after", "sentence"))), "the address is a secret too"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"url": "http://hooks.example.org/"}, "Only https is sent to"),
        ({"url": "https://10.0.0.1/"}, "an address within this network"),
        ({"name": ""}, "This field is required"),
        ({"groups": [], "verbs": []}, "Choose at least one event"),
        ({"verbs": ["nothing.happened"]}, "Select a valid choice"),
        ({"format": "carrier-pigeon"}, "Select a valid choice"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_lost(as_, project, mona, change, said):
    answer = as_(mona).post(_at("webhooks", project), GIVEN | change)
    page = answer.content.decode()
    assert answer.status_code == 422 and said in page and not Webhook.objects.exists()
    if "name" not in change:
        assert 'value="Ops"' in page


def test_two_have_no_name_together_and_a_project_has_twenty(as_, project, mona, sent):
    browser = as_(mona)
    browser.post(_at("webhooks", project), GIVEN)
    assert "There is a webhook “Ops” already." in browser.post(_at("webhooks", project), GIVEN).content.decode()
    for n in range(19):
        browser.post(_at("webhooks", project), GIVEN | {"name": f"W{n}"})
    assert (
        "at most 20 webhooks" in browser.post(_at("webhooks", project), GIVEN | {"name": "One more"}).content.decode()
    )
    assert Webhook.objects.count() == 20


def test_another_project_does_not_see_it(as_, project, make_project, mona, sent):
    other = make_project()
    as_(mona).post(_at("webhooks", project), GIVEN)
    webhook = Webhook.objects.get()
    for name in ("webhook", "log"):
        assert as_(mona).get(_at(name, other, webhook.pk)).status_code == 404
    assert as_(mona).post(_at("act", other, webhook.pk, "test")).status_code == 404


def test_the_api_sets_up_and_reads_the_same(project, lin, sent):
    api, at = api_of(lin), f"/api/v1/projects/{project.pk}/webhooks/"
    made = api.post(at, {"name": "Ops", "url": ADDRESS, "verbs": ["target.set"]}, format="json")
    assert made.status_code == 201 and made.json()["secret"].startswith("whsec_")
    own = f"{at}{made.json()['id']}/"
    assert api.post(f"{own}test/").status_code == 202
    target_set(project=project, hours=24, by=lin, at=NOON)
    assert webhooks_collect(at=NOON) == 1
    listed = api.get(f"{own}deliveries/").json()["results"]
    assert [each["type"] for each in listed] == ["target.set", "webhook.test"]
    assert api.post(f"{own}deliveries/{listed[0]['id']}/repeat/").json()["message_id"] == listed[0]["message_id"]
    assert api.patch(own, {"on": False}, format="json").json()["off_since"]
    assert [x["state"] for x in api.get(f"{own}deliveries/?state=waiting").json()["results"]] == []
    assert api.patch(own, {"verbs": ["no.such"]}, format="json").json()["detail"] == "“no.such” is no event."
    assert api.delete(own).status_code == 204 and api.get(own).status_code == 404


def test_every_event_has_a_schema_and_what_is_sent_fits_it(project, lin, mona, sent):
    api = api_of(lin)
    listed = {each["type"]: each["schema"] for each in _all(api, f"/api/v1/projects/{project.pk}/event-types/")}
    assert set(listed) == {str(verb) for verb in PAYLOADS if verb in IN_PROJECTS} and "person.invited" not in listed
    for schema in listed.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    api.post(
        f"/api/v1/projects/{project.pk}/webhooks/",
        {"name": "Ops", "url": ADDRESS, "verbs": ["target.set"]},
        format="json",
    )
    target_set(project=project, hours=36, by=mona, at=NOON)
    webhooks_collect(at=NOON)
    body = json.loads(WebhookDelivery.objects.get().body)
    jsonschema.validate(body, listed["target.set"])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(body | {"data": {**body["data"], "after": {"days": 3}}}, schema_of(Verb.TARGET_SET))


def _all(api, address):
    while address:
        page = api.get(address).json()
        yield from page["results"]
        address = page["next"]


def test_formats_have_names_of_their_own():
    assert list(WEBHOOK_FORMATS) == ["standard", "cloudevents", "slack", "teams"]
