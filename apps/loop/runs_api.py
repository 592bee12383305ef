"""Runs over the API: the list as its page shows it, and the start of one, also as a copy of another with changes."""

from dataclasses import replace
from typing import Any, ClassVar, cast

from django.utils import timezone
from django.utils.translation import gettext
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.datasets.version_selectors import version_wanted
from apps.errors import Invalid
from apps.loop import services
from apps.projects.api_access import ProjectAPI
from apps.projects.models import Project
from apps.projects.roles import Permission
from apps.releases.selectors import champion_of
from apps.training.api import RunOutput
from apps.training.listing import NEWEST, SORTS, VERDICTS, listing_from
from apps.training.models import Run, RunKind, RunPriority, RunState, asked_kinds
from apps.training.selectors import run_named_by, runs_listed
from apps.training.services.clones import MOST_SEED, RunCopy, copy_of, run_clone


class ListedRunOutput(RunOutput):
    verdict = serializers.CharField(source="report.outcome", default=None, allow_null=True)
    accuracy = serializers.FloatField(
        source="report.metrics.accuracy.value", default=None, allow_null=True, help_text="A share, on the holdout."
    )
    accuracy_change = serializers.FloatField(
        source="report.differences.accuracy.value",
        default=None,
        allow_null=True,
        help_text="Against the champion of then, on the same rows.",
    )
    model = serializers.IntegerField(
        source="model_version.number", default=None, allow_null=True, help_text="The version it became."
    )


CLONED = "Only with `clone_of`; left out it is as in that run."


class RunsAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_RUNS, "POST": Permission.START_RUN}

    class InputSerializer(serializers.Serializer):
        kind = serializers.ChoiceField(
            choices=asked_kinds(), required=False, help_text="Incremental where it is left out; of a copy, as it was."
        )
        priority = serializers.ChoiceField(
            choices=RunPriority.choices,
            required=False,
            default=RunPriority.NORMAL.value,
            help_text="1 goes before 5, 5 before 9; among equals the oldest starts first.",
        )
        clone_of = serializers.IntegerField(
            required=False, min_value=1, max_value=2**63 - 1, help_text="The id of a run to train again with changes."
        )
        recipe = serializers.DictField(
            required=False, help_text=f"Settings by name that are to differ; null is as usual for the kind. {CLONED}"
        )
        base_run = serializers.IntegerField(
            required=False,
            allow_null=True,
            min_value=1,
            max_value=2**63 - 1,
            help_text="The id of the run that an incremental copy goes on from; left out, as in that run, else the "
            "champion’s. Only with `clone_of`.",
        )
        dataset_version = serializers.IntegerField(
            required=False,
            allow_null=True,
            min_value=1,
            max_value=2**31 - 1,
            help_text=f"The number of a data version; null takes the labels as they stand. {CLONED}",
        )
        seed = serializers.IntegerField(required=False, min_value=0, max_value=MOST_SEED, help_text=CLONED)

    @extend_schema(
        operation_id="runs_list",
        responses=ListedRunOutput(many=True),
        summary="Runs, newest first unless sorted otherwise",
        description="What is not known in the address is no filter.",
        parameters=[
            OpenApiParameter("kind", OpenApiTypes.STR, description=", ".join(RunKind.values)),
            OpenApiParameter("state", OpenApiTypes.STR, description=", ".join(RunState.values)),
            OpenApiParameter("verdict", OpenApiTypes.STR, description=", ".join(VERDICTS)),
            OpenApiParameter("tag", OpenApiTypes.STR, description="Runs with this tag, as it is written."),
            OpenApiParameter("q", OpenApiTypes.STR, description="Words of the name or the note; all must be there."),
            OpenApiParameter("sort", OpenApiTypes.STR, description=", ".join(SORTS)),
        ],
    )
    def get(self, request: Request, project_id: int) -> Response:
        asked = listing_from(request.query_params)
        runs = asked.of(runs_listed(self.project))
        return self.page(runs if asked.sort == NEWEST else list(runs), ListedRunOutput)

    @extend_schema(
        operation_id="runs_create",
        request=InputSerializer,
        responses={201: RunOutput},
        summary="Start a run, or one again with changes",
    )
    def post(self, request: Request, project_id: int) -> Response:
        given = self.InputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        asked, by = given.validated_data, cast(User, request.user)
        if "clone_of" in asked:
            run, copy = _copy_asked(self.project, asked)
            made = run_clone(run=run, copy=copy, by=by, at=timezone.now(), priority=asked["priority"])
            return Response(RunOutput(made).data, status=201)
        for name in ("recipe", "base_run", "dataset_version", "seed"):
            if name in asked:
                words = gettext("“{name}” goes with “clone_of” only: it says what differs from that run.")
                raise Invalid(words.format(name=name), field=name)
        made = services.run_start_now(
            project=self.project,
            kind=asked.get("kind", RunKind.INCREMENTAL),
            priority=asked["priority"],
            by=by,
            at=timezone.now(),
        )
        return Response(RunOutput(made).data, status=201)


def _copy_asked(project: Project, asked: dict[str, Any]) -> tuple[Run, RunCopy]:
    """The run, and the copy with what the request wants otherwise. Raises Invalid beside the field."""
    run = run_named_by(project, asked["clone_of"], "clone_of")
    copy = copy_of(run, asked.get("kind", ""))
    if copy.kind == RunKind.INCREMENTAL and copy.base_run is None:
        champion = champion_of(project)
        copy = replace(copy, base_run=champion.run if champion else None)
    if "base_run" in asked:
        base = asked["base_run"]
        copy = replace(copy, base_run=run_named_by(project, base, "base_run") if base is not None else None)
    if "dataset_version" in asked:
        copy = replace(copy, dataset_version=version_wanted(project, asked["dataset_version"]))
    wanted = {**copy.settings, **asked.get("recipe", {})}
    settings = {name: value for name, value in wanted.items() if value is not None}
    return run, replace(copy, settings=settings, seed=asked.get("seed", copy.seed))
