"""Read models and who is champion."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.datasets.models import Example
from apps.errors import NotFound
from apps.projects import task_types
from apps.projects.access import project_for
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.releases.models import Alias, AliasName, ModelVersion, Promotion, PromotionKind, Rollout
from apps.releases.replicas import PredictorsSeen, predictors_seen


@dataclass(frozen=True)
class Route:
    """A version on its way to users: who meets it, and whose requests it answers unseen. Percentages, 0 to 100."""

    rollout_id: int
    version_number: int
    artifact_url: str
    weight: float
    mirror: float
    salt: str


@dataclass(frozen=True)
class ServedModel:
    """What the predictor should answer with, for one project."""

    project_id: int
    slug: str
    task_type: str
    version_number: int
    artifact_url: str
    promotion_id: int
    confirmed: bool
    route: Route | None = None


def versions_of(project: Project) -> QuerySet[ModelVersion]:
    return ModelVersion.objects.filter(project=project).select_related(
        "run", "report", "run__dataset_version", "run__started_by"
    )


def version_for(user: User, version_id: int, permission: Permission, *, changes: bool = False) -> ModelVersion:
    version = (
        ModelVersion.objects.select_related("project", "run", "report", "run__dataset_version")
        .filter(pk=version_id)
        .first()
    )
    unseen = gettext("There is no such model version.")
    if version is None:
        raise NotFound(unseen)
    project_for(user, version.project_id, permission, unseen=unseen, changes=changes)
    return version


def alias_of(project: Project, name: AliasName) -> ModelVersion | None:
    alias = Alias.objects.filter(project=project, name=name).select_related("version__run", "version__report").first()
    return alias.version if alias else None


def champion_of(project: Project) -> ModelVersion | None:
    return alias_of(project, AliasName.CHAMPION)


def candidate_of(project: Project) -> ModelVersion | None:
    """The candidate, while it is newer than the champion and never was one: what was rolled back is not offered again."""
    candidate, champion = alias_of(project, AliasName.CANDIDATE), champion_of(project)
    if candidate is None or (champion and candidate.number <= champion.number):
        return None
    return None if Promotion.objects.filter(version=candidate).exists() else candidate


def rolled_back_of(project: Project) -> dict[int, Promotion]:
    """Versions that the last change from or to them took the crown from, with that roll-back: one query."""
    last: dict[int, Promotion] = {}
    for change in Promotion.objects.filter(project=project).select_related("by").order_by("id"):
        last.pop(change.version_id, None)
        if change.kind == PromotionKind.ROLL_BACK and change.replaced_id:
            last[change.replaced_id] = change
    return last


def version_in(project: Project, version_id: int) -> ModelVersion:
    """The version of this project; the project's permission is checked by then."""
    version = versions_of(project).filter(pk=version_id).first()
    if version is None:
        raise NotFound(gettext("There is no such model version in this project."))
    return version


@dataclass(frozen=True)
class Board:
    """What the models page shows. `rolls_back_to` is whom the champion replaced."""

    champion: ModelVersion | None
    candidate: ModelVersion | None
    versions: tuple[ModelVersion, ...]
    promotions: tuple[Promotion, ...]
    rolls_back_to: ModelVersion | None
    rolled_back: Mapping[int, Promotion]  # by the version that lost the crown
    predictors: PredictorsSeen
    own: tuple[Alias, ...] = ()  # names that people gave

    @property
    def names(self) -> dict[int, list[str]]:
        """By version."""
        found: dict[int, list[str]] = {}
        for alias in self.own:
            found.setdefault(alias.version_id, []).append(alias.name)
        return found

    @property
    def loading(self) -> bool:
        return bool(self.promotions) and self.promotions[0].serving_at is None

    @property
    def served_after_s(self) -> float | None:
        """How long the newest change took that was measured, from the decision to the first answer."""
        return next((p.serves_after_s for p in self.promotions if p.serving_at is not None), None)


def board_of(project: Project, at: datetime) -> Board:
    parts = ("version__run", "version__report", "version__project", "by")
    pointing = list(Alias.objects.filter(project=project).select_related(*parts))
    aliases = {alias.name: alias.version for alias in pointing}
    champion, candidate = aliases.get(AliasName.CHAMPION), aliases.get(AliasName.CANDIDATE)
    if candidate and champion and candidate.number <= champion.number:
        candidate = None
    promotions = tuple(promotions_of(project)[:20])
    crowning = next(
        (p for p in promotions if champion and p.kind == PromotionKind.PROMOTE and p.version_id == champion.pk), None
    )
    return Board(
        champion,
        candidate,
        tuple(versions_of(project)[:50]),
        promotions,
        crowning.replaced if crowning else None,
        rolled_back_of(project),
        predictors_seen(slug=project.slug, number=champion.number, at=at) if champion else PredictorsSeen(),
        tuple(alias for alias in pointing if alias.name not in AliasName.values),
    )


def features_like(project: Project) -> dict[str, Any]:
    """The features of the newest example: names and kinds for the form that asks the champion; else nothing."""
    if not task_types.get(project.task_type).payload.has_features:
        return {}
    example = Example.objects.filter(project=project).order_by("-pk").values_list("fields", flat=True).first()
    return dict((example or {}).get("features", {}))


def promotions_of(project: Project) -> QuerySet[Promotion]:
    return Promotion.objects.filter(project=project).select_related("version", "replaced", "by", "rollout")


def served() -> list[ServedModel]:
    """Every project's champion with the promotion that made it, newest promotion each, and what is on its way beside it."""
    going = {"project__deleting_since": None}  # an archived project's champion goes on, a deleted one's stops at once
    aliases = list(Alias.objects.filter(name=AliasName.CHAMPION, **going).select_related("project", "version__run"))
    promotions = Promotion.objects.filter(version__in=[a.version_id for a in aliases])  # who is crowned has one by then
    newest = {p.version_id: p for p in promotions.order_by("id").only("id", "version_id", "serving_at")}
    under_way = {r.project_id: r for r in Rollout.objects.filter(ended_at=None).select_related("version__run")}
    return [
        ServedModel(
            a.project_id,
            a.project.slug,
            a.project.task_type,
            a.version.number,
            a.version.run.artifact_url,
            newest[a.version_id].pk,
            newest[a.version_id].serving_at is not None,
            _route(under_way.get(a.project_id)),
        )
        for a in aliases
    ]


def _route(rollout: Rollout | None) -> Route | None:
    if rollout is None:
        return None
    version = rollout.version
    return Route(rollout.pk, version.number, version.run.artifact_url, rollout.weight, rollout.mirror, rollout.salt)
