"""A lane of weight 0 gives nothing to anybody, and each example waits in one lane: what waits there is said."""

from django.urls import reverse

from apps.labeling.models import FrontierItem, Lane
from apps.labeling.selectors import withheld_in
from apps.labeling.services.queue_settings import queue_settings_set
from tests.api import api_of, at
from tests.conftest import NOON
from tests.rows import labeled


def _waits(project, lane, n):
    for rank, example in enumerate(labeled(project, n, held=0)):
        for slot in range(2):
            FrontierItem.objects.create(
                project=project, example=example, slot=slot, lane=lane, rank=rank, queued_at=NOON
            )


def _close(project, mona, lane):
    weights = {**project.queue.lane_weights, lane: 0}
    return queue_settings_set(project=project, lane_weights=weights, by=mona, at=NOON)


def test_what_waits_in_a_closed_lane_is_counted_by_example(project, mona):
    _waits(project, Lane.RELABEL, 3)
    assert withheld_in(project) == []
    project.queue = _close(project, mona, "relabel")
    (lane,) = withheld_in(project)
    assert (lane.lane, lane.waiting) == ("relabel", 3)


def test_the_page_says_so_to_everybody_who_reads_it(project, mona, ada, as_):
    _waits(project, Lane.RELABEL, 3)
    _close(project, mona, "relabel")
    for who in (mona, ada):
        page = as_(who).get(reverse("queue:settings", args=[project.pk])).content.decode()
        assert "3 examples wait in the lane" in page and "nobody is given them" in page
    _close(project, mona, "audit")


def test_the_api_says_so_too(project, mona):
    _waits(project, Lane.RELABEL, 2)
    assert api_of(mona).get(at(project, "queue/")).json()["withheld"] == {}
    told = api_of(mona).patch(at(project, "queue/"), {"lane_weights": {"relabel": 0}}, format="json").json()
    assert told["withheld"] == {"relabel": 2}
