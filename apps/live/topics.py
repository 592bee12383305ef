"""Who may listen to what. A topic is `<kind>.<id>`; each app that owns a kind registers its check."""

from collections.abc import Callable
from enum import StrEnum

from apps.accounts.models import User


class Topic(StrEnum):
    """What a page can be open on."""

    PROJECT = "project"
    RUN = "run"
    SWEEP = "sweep"

    def of(self, subject_id: int) -> str:
        return f"{self}.{subject_id}"


class News(StrEnum):
    """What a page may have to look at again; templates listen to these words."""

    ALERT = "alert"
    AUTO = "auto"
    DRIFT = "drift"
    FEEDBACK = "feedback"
    INGESTION = "ingestion"
    LABELS = "labels"
    LAP = "lap"
    LEARNING = "learning"
    MODEL = "model"
    NOTICE = "notice"
    ONLINE = "online"
    PREDICTIONS = "predictions"
    QUALITY = "quality"
    QUEUE = "queue"
    REPORT = "report"
    RIGHTS = "rights"  # for the console's own end of a socket, never for the page
    RUN = "run"
    SCHEMA = "schema"
    SOURCE = "source"
    SWEEP = "sweep"
    TARGET = "target"
    WEBHOOK = "webhook"


Check = Callable[[User, int], bool]
_checks: dict[str, Check] = {}


def register(kind: str, check: Check) -> None:
    _checks[kind] = check


def may_join(user: User, kind: str, subject_id: int) -> bool:
    check = _checks.get(kind)
    return bool(check and user.is_authenticated and check(user, subject_id))
