"""Whoever is not of a project cannot tell what is in it from what is nowhere."""

import pytest

from apps.accounts.models import User
from apps.projects.models import Project
from tests import rows
from tests.api import api_of


@pytest.mark.parametrize("address", ["runs/{}/", "sweeps/{}/", "models/{}/lineage/"])
def test_a_part_of_anothers_project_is_as_unknown_as_one_that_is_nowhere(
    project: Project, lin: User, mallory: User, address: str
) -> None:
    rows.labeled(project)
    version, sweep = rows.model(project), rows.swept(project)
    number = {"r": version.run_id, "s": sweep.pk, "m": version.pk}[address[0]]
    theirs = api_of(mallory).get(f"/api/v1/{address.format(number)}")
    nowhere = api_of(mallory).get(f"/api/v1/{address.format(987_654)}")
    assert api_of(lin).get(f"/api/v1/{address.format(number)}").status_code == 200
    assert (theirs.status_code, theirs.json()) == (nowhere.status_code, nowhere.json()) and theirs.status_code == 404
