"""Model versions, promote and roll back, over the API."""

from datetime import datetime
from typing import ClassVar, cast

from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.models import User
from apps.projects.api_access import ProjectAPI
from apps.projects.policies.selectors import policy_in_force
from apps.projects.roles import Permission
from apps.releases.archives import ModelFileGone, signature_json, signature_read
from apps.releases.downloads import model_download
from apps.releases.models import ModelVersion
from apps.releases.rollouts.policies import RELEASE_POLICY
from apps.releases.selectors import champion_of, rolled_back_of, version_for, versions_of
from apps.releases.services import ReleasedBySteps, model_promote, model_roll_back
from apps.rules.rollouts.policy import AT_ONCE


class VersionOutput(serializers.Serializer):
    id = serializers.IntegerField()
    number = serializers.IntegerField()
    run_id = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    outcome = serializers.CharField(source="report.outcome")
    overridden = serializers.BooleanField(
        source="report.overridden", help_text="Whether somebody let it be released although gates did not pass."
    )
    metrics = serializers.JSONField(source="report.metrics")
    aliases = serializers.SerializerMethodField()
    rolled_back_at = serializers.SerializerMethodField(
        help_text="When the crown was taken from it; null while it was not."
    )
    rolled_back_reason = serializers.SerializerMethodField()

    def get_aliases(self, version: object) -> list[str]:
        return [alias.name for alias in version.aliases.all()]  # type: ignore[attr-defined]

    def get_rolled_back_at(self, version: ModelVersion) -> datetime | None:
        back = self.context["rolled_back"].get(version.pk)
        return back.at if back else None

    def get_rolled_back_reason(self, version: ModelVersion) -> str:
        back = self.context["rolled_back"].get(version.pk)
        return back.reason if back else ""


class PromotionOutput(serializers.Serializer):
    id = serializers.IntegerField()
    kind = serializers.CharField()
    version = serializers.IntegerField(source="version.number")
    replaced = serializers.IntegerField(source="replaced.number", default=None, allow_null=True)
    at = serializers.DateTimeField()
    serving_at = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()


class ModelsAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_RUNS}

    @extend_schema(operation_id="models_list", responses=VersionOutput(many=True), summary="Model versions")
    def get(self, request: Request, project_id: int) -> Response:
        rows = versions_of(self.project).prefetch_related("aliases")
        return self.page(rows, VersionOutput, rolled_back=rolled_back_of(self.project))


class SignatureOutput(serializers.Serializer):
    class ColumnSerializer(serializers.Serializer):
        name = serializers.CharField()
        kind = serializers.CharField(help_text="number, category, any (numbers and words), text or image.")
        datatype = serializers.CharField(help_text="Of the Open Inference Protocol v2.")
        low = serializers.FloatField(allow_null=True, help_text="Least seen in training; null where it is not known.")
        high = serializers.FloatField(allow_null=True)
        typical = serializers.FloatField(allow_null=True, help_text="The mean.")
        values = serializers.ListField(
            child=serializers.CharField(allow_blank=True), help_text="The first of those seen at least twice."
        )
        values_total = serializers.IntegerField()
        side = serializers.IntegerField(help_text="Pixels that an image is fitted into; 0 for everything else.")

    model_name = serializers.CharField()
    model_version = serializers.IntegerField()
    inputs = ColumnSerializer(many=True)
    outputs = serializers.JSONField()
    labels = serializers.ListField(child=serializers.CharField())
    encoder = serializers.CharField(help_text="Whose vectors it reads; empty where it reads what is sent itself.")
    example = serializers.JSONField(help_text="A request that the model answers.")


class ModelAPI(APIView):
    class OutputSerializer(VersionOutput):
        signature = SignatureOutput(allow_null=True)
        unreadable = serializers.CharField(help_text="Why there is no signature; empty where there is one.")

    @extend_schema(
        operation_id="models_read", responses=OutputSerializer, summary="One model, with what it reads and answers"
    )
    def get(self, request: Request, version_id: int) -> Response:
        version = version_for(cast(User, request.user), version_id, Permission.VIEW_RUNS)
        told = dict(VersionOutput(version, context={"rolled_back": rolled_back_of(version.project)}).data)
        try:
            signature = SignatureOutput(signature_json(version, signature_read(version))).data
            return Response({**told, "signature": signature, "unreadable": ""})
        except ModelFileGone as gone:
            return Response({**told, "signature": None, "unreadable": gone.message})


class ModelDownloadAPI(APIView):
    makes_wait = frozenset({"GET"})

    @extend_schema(
        operation_id="models_download",
        responses={(200, "application/zip"): OpenApiTypes.BINARY, (206, "application/zip"): OpenApiTypes.BINARY},
        summary="A model as one archive: weights, manifest, labels, signature, and a program that asks it",
        description="One range of bytes may be asked for; a range that there is not is answered with 416.",
    )
    def get(self, request: Request, version_id: int) -> HttpResponseBase:
        user = cast(User, request.user)
        version = version_for(user, version_id, Permission.TAKE_MODEL)
        return model_download(request=request._request, version=version, by=user, at=timezone.now())


class PromoteAPI(APIView):
    class InputSerializer(serializers.Serializer):
        reason = serializers.CharField(
            required=False, default="", allow_blank=True, help_text="Needed when inconclusive or rolled back."
        )

    @extend_schema(
        operation_id="models_promote",
        request=InputSerializer,
        responses={201: PromotionOutput},
        summary="Make a version champion",
    )
    def post(self, request: Request, version_id: int) -> Response:
        user = cast(User, request.user)
        version = version_for(user, version_id, Permission.PROMOTE, changes=True)
        given = self.InputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        if policy_in_force(RELEASE_POLICY, version.project) != AT_ONCE and champion_of(version.project):
            raise ReleasedBySteps(
                gettext("This project releases by steps. Post to models/{id}/release/ instead.").format(id=version.pk)
            )
        promotion = model_promote(version=version, reason=given.validated_data["reason"], by=user, at=timezone.now())
        return Response(PromotionOutput(promotion).data, status=201)


class RollBackAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"POST": Permission.PROMOTE}

    class InputSerializer(serializers.Serializer):
        champion = serializers.IntegerField(help_text="The champion’s number as you see it; another one is refused.")
        reason = serializers.CharField(
            required=False, default="", allow_blank=True, help_text="Why; it stands beside the model from then on."
        )

    @extend_schema(
        operation_id="models_roll_back",
        request=InputSerializer,
        responses={201: PromotionOutput},
        summary="Back to the champion before",
    )
    def post(self, request: Request, project_id: int) -> Response:
        given = self.InputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        promotion = model_roll_back(
            project=self.project,
            reason=given.validated_data["reason"],
            expected_champion=given.validated_data["champion"],
            by=cast(User, request.user),
            at=timezone.now(),
        )
        return Response(PromotionOutput(promotion).data, status=201)
