"""A model's lineage over the API."""

from typing import cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.models import User
from apps.lineage.lineage import lineage_of
from apps.projects.roles import Permission
from apps.releases.selectors import version_for


class LineageAPI(APIView):
    class OutputSerializer(serializers.Serializer):
        class CountedSerializer(serializers.Serializer):
            name = serializers.CharField()
            labels = serializers.IntegerField()

        class BaseSerializer(serializers.Serializer):
            run_id = serializers.IntegerField(source="pk")
            number = serializers.IntegerField()
            kind = serializers.CharField()
            data_version = serializers.IntegerField(source="dataset_version.number", default=None, allow_null=True)

        model = serializers.IntegerField(source="version.number")
        run_id = serializers.IntegerField(source="run.pk")
        run_number = serializers.IntegerField(source="run.number")
        kind = serializers.CharField(source="run.kind")
        data_version = serializers.IntegerField(source="data.number", default=None, allow_null=True)
        data_digest = serializers.CharField(source="data.digest", default="")
        labels = serializers.IntegerField(source="sources.rows", help_text="In the data version, outside the holdout.")
        holdout_labels = serializers.IntegerField(source="sources.holdout_rows")
        by_source = CountedSerializer(source="sources.by_source", many=True)
        by_annotator = CountedSerializer(
            source="sources.by_annotator", many=True, help_text="Answers behind the labels."
        )
        by_function = CountedSerializer(
            source="sources.by_function", many=True, help_text="Models and functions with a say in a label."
        )
        unreadable = serializers.CharField(
            source="sources.unreadable", help_text="Why the labels cannot be told; empty where they can."
        )
        code_version = serializers.CharField(source="run.code_version")
        seed = serializers.IntegerField(source="run.seed")
        recipe = serializers.JSONField(source="run.recipe")
        packages = serializers.JSONField(source="run.packages")
        weights_digest = serializers.CharField(source="run.weights_digest", help_text="SHA-256 of the model file.")
        cloned_from = serializers.IntegerField(
            source="run.cloned_from_id", allow_null=True, help_text="The run that it is a copy of, with changes."
        )
        bases = BaseSerializer(many=True, help_text="The runs it goes on from, the newest first.")
        reproduced = serializers.BooleanField(
            allow_null=True, help_text="Whether training again gave the same weights; null while nobody tried."
        )

    @extend_schema(
        operation_id="models_lineage",
        responses=OutputSerializer,
        summary="Where a model comes from: data, labels, people, code, recipe, packages",
    )
    def get(self, request: Request, version_id: int) -> Response:
        version = version_for(cast(User, request.user), version_id, Permission.VIEW_RUNS)
        return Response(self.OutputSerializer(lineage_of(version.project, version_id)).data)
