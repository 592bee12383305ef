"""Who in a project is told of what, by severity: roles and people; from YAML or JSON, or refused.

routes:
- severity: alarm
  roles: [manager, engineer]
  people: [lin]
- severity: warning
  roles: [engineer]
"""

from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator, model_validator

from apps.rules.notices.levels import NoticeSeverity
from apps.rules.policies import PolicyPart, VersionedPolicy, policy_checked
from apps.rules.sentences import sentence

ROLES = ("annotator", "reviewer", "manager", "engineer", "admin")
MOST_PEOPLE, MOST_USERNAME = 50, 150
USUAL_ROLES = ("manager", "engineer", "admin")
EXAMPLE = "routes: [{severity: alarm, roles: [manager, engineer]}]"
Username = Annotated[
    str, Field(min_length=1, max_length=MOST_USERNAME, pattern=r"^[\w.@+-]+$")
]  # as accounts have them


class NoticeRoute(PolicyPart):
    """Who is told of notices of one severity. Nobody, where neither roles nor people are named."""

    severity: NoticeSeverity
    roles: tuple[str, ...] = Field((), max_length=len(ROLES))
    people: tuple[Username, ...] = Field((), max_length=MOST_PEOPLE)

    @field_validator("roles")
    @classmethod
    def _known(cls, given: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        unknown = next((role for role in given if role not in ROLES), None)
        if unknown is not None and not info.context:
            raise ValueError(
                sentence("the role “{role}” is not known; {known} are", role=unknown[:60], known=", ".join(ROLES))
            )
        return given


class NoticePolicy(VersionedPolicy):
    """A severity without a route goes to nobody."""

    routes: tuple[NoticeRoute, ...] = Field(max_length=len(NoticeSeverity))

    @model_validator(mode="after")
    def _once(self, info: ValidationInfo) -> "NoticePolicy":
        named = [route.severity for route in self.routes]
        twice = next((each for each in named if named.count(each) > 1), None)
        if twice is not None and not info.context:
            raise ValueError(sentence("the severity “{severity}” has two routes; make one of them", severity=twice))
        return self

    def reaches(self, severity: str, *, role: str, username: str) -> bool:
        """Whether a member is told of it."""
        return any(
            route.severity == severity and (role in route.roles or username in route.people) for route in self.routes
        )

    def route(self, severity: str) -> NoticeRoute:
        """The one of this severity; an empty one where there is none."""
        found = (route for route in self.routes if route.severity == severity)
        return next(found, NoticeRoute(severity=NoticeSeverity(severity), roles=(), people=()))


def notice_policy_of(given: Any) -> NoticePolicy:
    """Raises PolicyRefused."""
    return policy_checked(NoticePolicy, given, example=EXAMPLE)


def kept_notice_policy(given: Any) -> NoticePolicy:
    """What was taken once is not refused for what changed since."""
    return NoticePolicy.model_validate(given, context={"kept": True})


def standing_notices() -> NoticePolicy:
    """Where a project has set none: those who look after models hear of all, who labels of nothing."""
    routes = [{"severity": str(each), "roles": list(USUAL_ROLES)} for each in NoticeSeverity]
    return NoticePolicy.model_validate({"routes": routes})
