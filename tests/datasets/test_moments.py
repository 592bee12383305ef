"""Whether examples came with moments of their own: by those a table's run tells later rows from earlier ones."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from apps.datasets.models import Example
from apps.datasets.selectors import moments_given
from apps.loop import services as loop
from apps.projects.models import Project
from tests import rows


@pytest.mark.parametrize(
    ("given", "apart", "known"), [(10, 24, True), (6, 24, True), (5, 24, False), (10, 2, False), (0, 24, False)]
)
def test_most_need_one_and_they_must_lie_apart(
    make_project: Callable[..., Project],
    noon: datetime,
    monkeypatch: pytest.MonkeyPatch,
    given: int,
    apart: int,
    known: bool,
) -> None:
    from apps.integrations import wiring

    monkeypatch.setattr(wiring, "jobs", rows.Sent([]))
    project = make_project("tabular-classification", ("no", "yes"), name="Loans")
    sent = [
        {
            "id": f"r{n}",
            "x": n,
            **({"timestamp": (noon - timedelta(hours=apart * (n + 1))).isoformat()} if n < given else {}),
        }
        for n in range(10)
    ]
    loop.batch_take(project=project, rows=sent, source="test", by=None, at=noon)
    ids = {e.external_id: e.pk for e in Example.objects.filter(project=project)}
    asked = [ids[f"r{n}"] for n in reversed(range(10))]
    found = moments_given(asked)
    assert (found is not None) == known
    if found is not None:
        assert found == [Example.objects.get(pk=pk).collected_at.timestamp() for pk in asked]
    assert moments_given([]) is None
    if known and given < 10:
        Example.objects.filter(project=project).update(ingestion=None)
        assert moments_given(asked) is None, "whose upload is gone, of those nobody knows whether they brought a moment"
