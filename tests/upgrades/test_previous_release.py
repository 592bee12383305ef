"""A database that release 0.1 filled goes on under this one: nothing is lost, nothing is changed, everything opens.

`release_0_1.sql.xz` holds a row or more in every table of that release. How it was made stands in `fill/everything.py`,
where its rows are today in `became.py`; `facts.py` reads some of them through the models and services of today.
"""

import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.db.models import Sum
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from knox.auth import TokenAuthentication

from apps.accounts.models import User
from apps.audit.models import Event
from apps.audit.services import chain_intact
from apps.labeling.models import GoldItem
from apps.monitoring.models import Alert, AnswerRollup
from apps.notices.hearing import notices_collect
from apps.notices.models import Notice
from apps.projects.models import Project
from tests.loop.test_query_budgets import BUDGETS
from tests.monitoring.log.counting import assert_counted
from tests.upgrades.became import BECAME, ELSEWHERE, OF_MIGRATIONS
from tests.upgrades.dump import Dump, dump_read
from tests.upgrades.facts import FACTS, facts

TOKEN = "0f" * 32  # Ada's, made up when the database was filled


@pytest.fixture(scope="module")
def before() -> Dump:
    return dump_read(Path(__file__).with_name("release_0_1.sql.xz"))


@pytest.fixture(scope="module", autouse=True)
def migrated(before: Dump, django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    """The old database, brought up to date, in the place of the suite's own."""
    usual = connections["default"]
    where = {**usual.settings_dict, "NAME": f"upgraded_{uuid.uuid4().hex[:12]}"}
    server = {"host": where["HOST"], "port": where["PORT"], "user": where["USER"], "password": where["PASSWORD"]}
    with psycopg.connect(dbname="postgres", autocommit=True, **server) as admin, django_db_blocker.unblock():
        admin.execute(f"CREATE DATABASE {where['NAME']} TEMPLATE template0")
        connections["default"] = type(usual)(where, "default")
        try:
            with psycopg.connect(dbname=where["NAME"], **server) as fresh:
                before.load(fresh)
            call_command("migrate", verbosity=0)
            ContentType.objects.clear_cache()
            yield
        finally:
            connections["default"].close()
            connections["default"] = usual
            ContentType.objects.clear_cache()
            admin.execute(f"DROP DATABASE {where['NAME']} WITH (FORCE)")


@pytest.fixture
def undone() -> Iterator[None]:
    """What the test writes goes again, or the next one would read it."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def copied(query: str) -> list[str]:
    """Its rows as a dump has them, sorted."""
    with connection.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT") as copy:
        return sorted(b"".join(bytes(part) for part in copy).decode().split("\n")[:-1])


def columns_of(table: str) -> set[str]:
    with connection.cursor() as cursor:
        return {column.name for column in connection.introspection.get_table_description(cursor, table)}


def test_every_table_of_the_old_release_has_rows_and_a_successor(before: Dump) -> None:
    assert {name for name, table in before.tables.items() if not table.lines} == set()
    assert set(before.tables) - set(OF_MIGRATIONS) == set(BECAME)
    assert set(BECAME.values()) <= set(connection.introspection.table_names())


@pytest.mark.parametrize("old", BECAME)
def test_every_row_is_there_with_every_value_that_it_had(before: Dump, old: str) -> None:
    table, new = before.tables[old], BECAME[old]
    elsewhere = {column: query for (name, column), query in ELSEWHERE.items() if name == old}
    kept = [column for column in table.columns if column not in elsewhere]
    assert set(kept) <= columns_of(new), "a column went away; say in `became` where its values are"
    assert copied("SELECT {} FROM {}".format(", ".join(f'"{c}"' for c in kept), new)) == table.of(kept)
    for column, query in elsewhere.items():
        assert copied(query) == table.of([before.keys[old], column])


def test_the_migrations_of_the_old_release_are_still_part_of_the_history(before: Dump) -> None:
    had = set(before.tables["django_migrations"].of(["app", "name"]))
    assert had <= set(copied("SELECT app, name FROM django_migrations"))


def test_the_console_reads_of_the_old_rows_what_was_written() -> None:
    assert facts() == FACTS


def test_answers_of_the_old_release_are_counted_by_minute_and_hour(before: Dump) -> None:
    """As they were logged; charts of a project that goes on read these alone."""
    assert_counted()
    assert AnswerRollup.objects.filter(width=60).aggregate(n=Sum("answers"))["n"] == len(
        before.tables["monitoring_prediction"].lines
    )


@pytest.mark.usefixtures("undone")
def test_the_audit_trail_still_verifies() -> None:
    scopes = sorted(Event.objects.order_by().values_list("scope", flat=True).distinct())
    assert len(scopes) == 5
    assert [scope for scope in scopes if not chain_intact(scope)] == []
    Event.objects.filter(scope="site").update(sentence="Nobody did anything.")
    assert not chain_intact("site")


def test_the_models_have_no_change_that_a_migration_lacks() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_content_types_and_permissions_are_those_of_the_models_that_are_there() -> None:
    types = {(x.app_label, x.model): x for x in ContentType.objects.all()}
    assert set(types) == {(x._meta.app_label, x._meta.model_name) for x in apps.get_models()}
    had = sorted(Permission.objects.values_list("content_type_id", "codename"))
    wanted = [
        (types[model._meta.app_label, model._meta.model_name].pk, f"{verb}_{model._meta.model_name}")
        for model in apps.get_models()
        for verb in model._meta.default_permissions
    ]
    assert had == sorted(wanted)


def test_permissions_that_were_given_still_are() -> None:
    gold = GoldItem._meta.app_label
    assert User.objects.get(username="mona").get_user_permissions() == {f"{gold}.view_golditem"}
    given = Permission.objects.filter(group__name="Auditors").values_list("codename", flat=True)
    assert sorted(given) == ["view_event", "view_label", "view_project"]


def test_ids_go_on_after_the_highest(before: Dump) -> None:
    for old in (*BECAME, *OF_MIGRATIONS):
        if before.keys[old] != "id":
            continue
        new = BECAME.get(old, old)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [new])
            sequence = cursor.fetchone()[0]
            assert sequence, f"{new} gives no ids by itself"
            cursor.execute(f"SELECT nextval(%s), (SELECT max(id) FROM {new})", [sequence])
            following, highest = cursor.fetchone()
        assert following > highest, new


@pytest.mark.usefixtures("undone")
@pytest.mark.parametrize("name", ["Handwritten digits", "Support mail", "Invoices", "Names in mail"])
def test_every_page_of_an_old_project_opens(name: str) -> None:
    project, browser = Project.objects.get(name=name), Client()
    browser.force_login(User.objects.get(username="alma"))
    runs = [[project.pk, run.pk] for run in project.runs.all()]
    of_page = {
        "lineage:run": runs,
        "reports:report": [[project.pk, run.pk] for run in project.runs.filter(report__isnull=False)],
        "portfolio:projects": [[]],
        "examples:page": [[project.pk, example.pk] for example in project.examples.order_by("pk")[:5]],
        "setup:label": [[project.pk, label.pk] for label in project.labels.all()],
        "people:person": [[user_id] for user_id in project.memberships.values_list("user_id", flat=True)],
        "mending:alarm": [[project.pk, alert.pk] for alert in project.alerts.all()],
        **{key: [[]] for key in ("notices:notices", "notices:choices", "notices:bell")},
        "notices:notice": [[notice.pk] for notice in project.notices.all()],
    }
    pages = [(page, args) for page in BUDGETS for args in of_page.get(page, [[project.pk]])]
    answers = {f"{page} {args}": browser.get(reverse(page, args=args)).status_code for page, args in pages}
    assert answers == dict.fromkeys(answers, 200)


def test_alarms_that_were_open_are_notices_and_nothing_else_of_the_past_is_told() -> None:
    subjects = [f"alert {pk}" for pk in Alert.objects.filter(resolved_at=None).values_list("pk", flat=True)]
    assert subjects
    assert notices_collect(at=timezone.now()) == 0
    assert sorted(Notice.objects.values_list("subject", flat=True)) == sorted(subjects)


def test_a_token_of_the_old_release_still_opens_the_api() -> None:
    user, _ = TokenAuthentication().authenticate_credentials(TOKEN.encode())
    assert user.username == "ada"
