"""A real Label Studio 1.23 with our address as its model: it connects, stores our predictions, and asks in their order."""

import pytest
from django.urls import reverse

from apps.label_studio.models import StudioBackend
from apps.label_studio.services import backend_open, config_for
from tests.conftest import NOON
from tests.label_studio.studio import STUDIO, running_studio

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not STUDIO.exists(), reason=f"no Label Studio at {STUDIO.name}: requirements-label-studio.txt"),
    pytest.mark.django_db(transaction=True),
]


def test_a_real_label_studio_takes_our_champion_as_its_model(project, mona, secret, live_server) -> None:
    secret = backend_open(project=project, by=mona, at=NOON)
    at = live_server.url + reverse("studio_backend:health", args=[secret]).removesuffix("/health")
    with running_studio() as studio:
        config = config_for(project)
        theirs = studio.post(
            "projects/", {"title": "Mails", "label_config": config, "sampling": "Uncertainty sampling"}
        )
        number = theirs["id"]
        studio.post(f"projects/{number}/import", [{"data": {"text": text}} for text in ("win", "lunch", "lunch?")])
        made = studio.post("ml/", {"project": number, "url": at, "title": "v1", "is_interactive": False})
        assert made["state"] == "CO", made
        seen = StudioBackend.objects.get(project=project)
        assert (seen.fault, seen.studio.split(" ")[:2]) == ("", ["project", str(number)])
        everything = {"selectedItems": {"all": True, "excluded": []}}
        studio.post(f"dm/actions/?id=retrieve_tasks_predictions&project={number}", everything)
        tasks = studio.get(f"tasks/?project={number}&page=1&page_size=10&fields=all")["tasks"]
        said = {
            task["data"]["text"]: (
                each["model_version"],
                each["result"][0]["value"]["choices"],
                round(each["score"], 2),
            )
            for task in tasks
            for each in task["predictions"]
        }
        assert said == {"win": ("v1", ["spam"], 0.9), "lunch": ("v1", ["ham"], 0.9), "lunch?": ("v1", ["ham"], 0.8)}
        studio.patch(f"projects/{number}/", {"model_version": "v1"})
        first = studio.get(f"projects/{number}/next/")
        assert first["data"]["text"] == "lunch?", "the least sure comes first"
        answer = {"result": first["predictions"][0]["result"], "lead_time": 2.5}
        studio.post(f"tasks/{first['id']}/annotations/?project={number}", answer)  # our /webhook is told, and answers
