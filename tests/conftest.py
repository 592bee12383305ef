"""The people of the tests, a project of each kind, and the clients they use."""

import os
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import pytest
from django.core.management.commands import flush
from django.db import connections
from django.test import Client
from django.utils import translation

from apps.accounts.models import User
from apps.loop.setup.services import project_open
from apps.projects.membership import member_set
from apps.projects.models import Project
from apps.projects.roles import Role
from apps.projects.services import LabelSpec

KEPT = ("django_content_type", "auth_permission", "django_migrations")  # as migrations made them
NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Test databases are copies of the one that `tests/servers.py` made of the snapshot; only what it lacks is migrated."""
    connections["default"].settings_dict["TEST"]["TEMPLATE"] = os.environ.get("FASTLOOP_TEST_TEMPLATE")


def _emptied(style: object, tables: Sequence[str], **_: bool) -> list[str]:
    """After a test with transactions of its own. TRUNCATE makes new files for a hundred tables and their indexes, for a second;
    here rows go where there are any, and no table's keys are followed."""
    names = [name for name in tables if name not in KEPT]
    with connections["default"].cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"(SELECT '{name}' FROM \"{name}\" LIMIT 1)" for name in names))
        full = [name for (name,) in cursor.fetchall()]
    rows = [f'DELETE FROM "{name}"' for name in full]
    return ["SET session_replication_role = replica", *rows, "RESET session_replication_role"]


@pytest.fixture(scope="session", autouse=True)
def quick_flush() -> None:
    """Types and permissions stay, so nobody has to make them again after each such test."""
    connections["default"].ops.sql_flush = _emptied  # type: ignore[method-assign]
    flush.emit_post_migrate_signal = lambda *_, **__: None


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """A page in Spanish leaves its language to the thread, and so to the next test."""
    yield
    translation.activate("en")


@pytest.fixture
def noon() -> datetime:
    return NOON


def person(username: str, name: str, **more: object) -> User:
    return User.objects.create_user(username=username, password="correct horse", display_name=name, **more)


@pytest.fixture
def ada(db: None) -> User:
    return person("ada", "Ada")


@pytest.fixture
def grace(db: None) -> User:
    return person("grace", "Grace")


@pytest.fixture
def rosa(db: None) -> User:
    return person("rosa", "Rosa")


@pytest.fixture
def mona(db: None) -> User:
    return person("mona", "Mona")


@pytest.fixture
def lin(db: None) -> User:
    return person("lin", "Lin")


@pytest.fixture
def alma(db: None) -> User:
    return person("alma", "Alma", may_create_projects=True)


@pytest.fixture
def mallory(db: None) -> User:
    """Signed in, member of nothing."""
    return person("mallory", "Mallory")


@pytest.fixture
def make_project(alma: User, ada: User, grace: User, rosa: User, mona: User, lin: User) -> Callable[..., Project]:
    """A project with everybody in their role. Ada and Grace label, Rosa reviews, Mona manages, Lin engineers."""

    def make(
        task_type: str = "text-classification", labels: tuple[str, ...] = ("ham", "spam"), **more: object
    ) -> Project:
        project = project_open(
            name=str(more.pop("name", f"Project {Project.objects.count() + 1}")),
            task_type=task_type,
            labels=[LabelSpec(name) for name in labels],
            guidelines="Label what it *is*.",
            by=alma,
            at=NOON,
            **more,  # type: ignore[arg-type]
        )
        project.holdout_salt = "the same chance in every run"  # or one test in 20 loses its known answer to the holdout
        project.save(update_fields=["holdout_salt"])
        for user, role in (
            (ada, Role.ANNOTATOR),
            (grace, Role.ANNOTATOR),
            (rosa, Role.REVIEWER),
            (mona, Role.MANAGER),
            (lin, Role.ENGINEER),
        ):
            member_set(project=project, username=user.username, role=role, by=alma, at=NOON)
        return project

    return make


@pytest.fixture
def project(make_project: Callable[..., Project]) -> Project:
    return make_project()


@pytest.fixture
def as_(client: Client) -> Callable[[User], Client]:
    """A browser in which this person is signed in."""

    def sign_in(user: User) -> Client:
        browser = Client()
        browser.force_login(user)
        return browser

    return sign_in
