"""The scripted people: an engineer who owns the project, and annotators who know the truth."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.utils import timezone

from apps.accounts.models import User
from apps.labeling.models import Assignment
from apps.labeling.services.annotations import Answer, annotation_submit
from apps.labeling.services.assignments import QueueRequest, assignments_release
from apps.labeling.services.queue import queue_next
from apps.projects.membership import member_set
from apps.projects.models import Project
from apps.projects.roles import Role

FETCH = 5  # leases a scripted annotator holds, as a browser prefetches


def engineer() -> User:
    return _person("scripted-engineer", "Scripted engineer", may_create_projects=True)


def annotators(project: Project, count: int, *, by: User, at: datetime) -> list[User]:
    people = [_person(f"scripted-annotator-{n}", f"Scripted annotator {n}") for n in range(1, count + 1)]
    for person in people:
        member_set(project=project, username=person.username, role=Role.ANNOTATOR, by=by, at=at)
    return people


def _person(username: str, name: str, **more: bool) -> User:
    person, made = User.objects.get_or_create(username=username, defaults={"display_name": name, **more})
    if made:
        person.set_unusable_password()
        person.save(update_fields=["password"])
    return person


def label_round(project: Project, people: Sequence[User], truth: Mapping[str, str], wanted: int, *, seed: int) -> int:
    """Everybody in turn takes and answers examples through the queue until `wanted` are answered or it is empty."""
    done, draw = 0, seed
    held: dict[int, list[Assignment]] = {person.pk: [] for person in people}
    while done < wanted:
        progressed = False
        for person in people:
            if done >= wanted:
                break
            assignment = _next_for(project, person, held[person.pk], seed=(draw := draw + 1))
            if assignment is None:
                continue
            answer = Answer(
                client_id=uuid.uuid4(),
                assignment_id=assignment.pk,
                token=assignment.token,
                label=truth[assignment.example.external_id],
                active_ms=0,
                shown_at=timezone.now(),
            )
            annotation_submit(project_id=project.pk, answer=answer, by=person, at=timezone.now())
            done, progressed = done + 1, True
        if not progressed:
            break
    _give_back(people, held)
    return done


def _next_for(project: Project, person: User, held: list[Assignment], *, seed: int) -> Assignment | None:
    if not held:
        held.extend(queue_next(QueueRequest(project=project, by=person, count=FETCH, at=timezone.now(), seed=seed)))
    return held.pop(0) if held else None


def _give_back(people: Sequence[User], held: Mapping[int, list[Assignment]]) -> None:
    for person in people:
        leases = [(a.pk, a.token) for a in held[person.pk]]
        if leases:
            assignments_release(by=person, leases=leases, at=timezone.now())
