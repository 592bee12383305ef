"""Answers of several people to the same examples, made as rows: a page reads them, whoever made them."""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from apps.accounts.models import User
from apps.datasets.models import Example
from apps.labeling.models import Annotation, Assignment, AssignmentState, Lane
from apps.projects.models import Project
from tests.conftest import NOON

Say = Callable[..., Annotation]


def example(project: Project, n: int, *, holdout: bool = False, text: str = "") -> Example:
    return Example.objects.create(
        project=project,
        external_id=f"q{n}",
        fields={"text": text or f"words {n}"},
        holdout=holdout,
        collected_at=NOON,
        ingested_at=NOON,
    )


@pytest.fixture
def examples(project: Project) -> list[Example]:
    return [example(project, n) for n in range(12)]


@pytest.fixture
def said() -> Say:
    """One answer of one person, with what was shown."""

    def say(
        who: User,
        about: Example,
        answer: Any = "ham",
        *,
        lane: str = Lane.ACTIVE,
        at: datetime = NOON,
        ms: int = 6000,
        suggestion: str = "",
        guess: str | None = None,
        planted: bool = False,
        skip: str = "",
        **more: Any,
    ) -> Annotation:
        slot = Assignment.objects.filter(example=about).count()
        assignment = Assignment.objects.create(
            project=about.project,
            example=about,
            slot=slot,
            holder=who,
            token=uuid.uuid4(),
            leased_at=at,
            leased_until=at,
            lane=lane,
            rank=0,
            suggestion=suggestion,
            planted=planted,
            reason={"suggestion": guess} if guess else {},
            state=AssignmentState.SKIPPED if skip else AssignmentState.ANSWERED,
        )
        columns: dict[str, Any] = {"skip_reason": skip}
        if not skip:
            is_name = isinstance(answer, str)
            columns |= {"label": about.project.labels.get(name=answer)} if is_name else {"value": answer}
        return Annotation.objects.create(
            client_id=uuid.uuid4(),
            project=about.project,
            example=about,
            assignment=assignment,
            annotator=who,
            shown_at=at,
            answered_at=at,
            active_ms=ms,
            **columns,
            **more,
        )

    return say
