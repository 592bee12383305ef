"""One thing that happened, as it is told outside."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class WebhookMessage:
    """`id` is the same at every attempt. `type` is the verb of the audit trail, `sentence` its words in English.

    `subject` names what it happened to (“run 3”), `by` who did it (empty: the console itself), `before` and `after` the
    facts that changed, `sequence` its place in the project's trail, `url` the page to open; empty where none is known.
    """

    id: str
    type: str
    at: datetime
    project_id: int
    project: str
    sentence: str
    subject: str = ""
    by: str = ""
    sequence: int = 0
    url: str = ""
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)

    @property
    def data(self) -> dict[str, Any]:
        """What every format of ours carries of it."""
        return {
            "project": {"id": self.project_id, "name": self.project},
            "subject": self.subject,
            "sentence": self.sentence,
            "by": self.by,
            "sequence": self.sequence,
            "url": self.url,
            "before": dict(self.before),
            "after": dict(self.after),
        }
