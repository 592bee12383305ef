"""The learning page over the API: the newest measurement, the advice, and what the model labels by itself."""

from typing import Any, ClassVar, cast

from django.utils import timezone
from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.errors import NotFound
from apps.evaluation.selectors import learning_of
from apps.labeling.selectors import auto_batches_of, auto_labeling_of, auto_labels_of, frontier_of
from apps.labeling.services.auto_labels import auto_batch_withdraw, auto_labeling_set
from apps.projects.api_access import ProjectAPI
from apps.projects.roles import Permission


class PointOutput(serializers.Serializer):
    labels = serializers.IntegerField()
    score = serializers.FloatField(help_text="Share of right holdout answers of a linear probe.")
    low = serializers.FloatField()
    high = serializers.FloatField()


class LiftOutput(serializers.Serializer):
    saved = serializers.FloatField(allow_null=True, help_text="Share of the random lane’s labels that choosing saves.")
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    sentence = serializers.CharField()


class AdviceOutput(serializers.Serializer):
    stop = serializers.BooleanField(allow_null=True, help_text="Null while nothing can be told.")
    sentence = serializers.CharField()
    labels_more = serializers.IntegerField(allow_null=True, help_text="For the next point of accuracy.")
    hours = serializers.FloatField(allow_null=True)
    money = serializers.FloatField(allow_null=True)


class OrderOutput(serializers.Serializer):
    strategy = serializers.CharField()
    run_number = serializers.IntegerField(allow_null=True)
    encoder = serializers.CharField()
    pool_size = serializers.IntegerField()
    near_duplicates = serializers.IntegerField()
    unscored = serializers.IntegerField()
    sentence = serializers.CharField()
    scored_at = serializers.DateTimeField(allow_null=True)


class LearningAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_RUNS}

    class OutputSerializer(serializers.Serializer):
        run_number = serializers.IntegerField(allow_null=True, help_text="Null until the first run is measured.")
        at = serializers.DateTimeField(allow_null=True)
        holdout_rows = serializers.IntegerField()
        lift = LiftOutput(allow_null=True)
        advice = AdviceOutput(allow_null=True)
        agreement = serializers.FloatField(allow_null=True, help_text="Cohen’s kappa with the model before.")
        random = PointOutput(many=True)
        active = PointOutput(many=True)
        coverage = serializers.ListField(child=serializers.DictField())
        order = OrderOutput()

    @extend_schema(
        operation_id="learning_read", responses=OutputSerializer, summary="What choosing the examples is worth"
    )
    def get(self, request: Request, project_id: int) -> Response:
        found = learning_of(self.project)
        newest = found.newest
        return Response(
            self.OutputSerializer(
                {
                    "run_number": newest.run.number if newest else None,
                    "at": newest.at if newest else None,
                    "holdout_rows": newest.holdout_rows if newest else 0,
                    "lift": newest.lift if newest else None,
                    "advice": found.advice,
                    "agreement": newest.agreement["kappa"] if newest else None,
                    "random": newest.random_points if newest else [],
                    "active": newest.active_points if newest else [],
                    "coverage": newest.coverage if newest else [],
                    "order": frontier_of(self.project),
                }
            ).data
        )


class BatchOutput(serializers.Serializer):
    number = serializers.IntegerField()
    run_number = serializers.IntegerField()
    state = serializers.CharField()
    target_precision = serializers.FloatField()
    threshold = serializers.FloatField()
    labels = serializers.IntegerField()
    audits = serializers.IntegerField()
    audited = serializers.IntegerField()
    audit_errors = serializers.IntegerField()
    at = serializers.DateTimeField()
    withdrawn_at = serializers.DateTimeField(allow_null=True)
    withdrawn_why = serializers.CharField()


class AutoLabelingAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_RUNS, "PATCH": Permission.EDIT_PROJECT}

    class InputSerializer(serializers.Serializer):
        enabled = serializers.BooleanField(required=False)
        target_precision = serializers.FloatField(required=False, help_text="From 0.8 to 0.9999.")
        audit_share = serializers.FloatField(required=False, help_text="From 0.01 to 1.")

    class OutputSerializer(serializers.Serializer):
        enabled = serializers.BooleanField()
        target_precision = serializers.FloatField()
        audit_share = serializers.FloatField()
        sentence = serializers.CharField()
        checked_at = serializers.DateTimeField(allow_null=True)

    @extend_schema(
        operation_id="auto_labeling_read", responses=OutputSerializer, summary="Whether the model may label by itself"
    )
    def get(self, request: Request, project_id: int) -> Response:
        return Response(self.OutputSerializer(auto_labeling_of(self.project)).data)

    @extend_schema(
        operation_id="auto_labeling_set",
        request=InputSerializer,
        responses=OutputSerializer,
        summary="Let the model label what the holdout proves it knows, or stop it",
    )
    def patch(self, request: Request, project_id: int) -> Response:
        given = self.InputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        now = auto_labeling_of(self.project)
        values: dict[str, Any] = {n: getattr(now, n) for n in ("enabled", "target_precision", "audit_share")}
        row = auto_labeling_set(
            project=self.project, by=cast(User, request.user), at=timezone.now(), **values | dict(given.validated_data)
        )
        return Response(self.OutputSerializer(row).data)


class AutoBatchesAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_RUNS}

    @extend_schema(
        operation_id="auto_batches_list", responses=BatchOutput(many=True), summary="What the model labeled by itself"
    )
    def get(self, request: Request, project_id: int) -> Response:
        return self.page(auto_batches_of(self.project), BatchOutput)


class AutoLabelsAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_DATA}

    class OutputSerializer(serializers.Serializer):
        example_id = serializers.IntegerField()
        external_id = serializers.CharField(source="example.external_id")
        label = serializers.CharField(source="label.name")
        confidence = serializers.FloatField()
        batch = serializers.IntegerField(source="batch.number")
        audited_right = serializers.BooleanField(
            source="right", allow_null=True, help_text="Null where nobody has audited it."
        )

    @extend_schema(
        operation_id="auto_labels_list",
        responses=OutputSerializer(many=True),
        summary="Labels that a model gave by itself and that are in force; apart from what people settled",
    )
    def get(self, request: Request, project_id: int) -> Response:
        return self.page(auto_labels_of(self.project), self.OutputSerializer)


class AutoBatchWithdrawAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"POST": Permission.EDIT_PROJECT}

    @extend_schema(
        operation_id="auto_batches_withdraw",
        request=None,
        responses=BatchOutput,
        summary="Withdraw a batch of auto-labels",
    )
    def post(self, request: Request, project_id: int, number: int) -> Response:
        batch = auto_batches_of(self.project).filter(number=number).first()
        if batch is None:
            raise NotFound(gettext("There is no such batch of auto-labels."))
        return Response(
            BatchOutput(auto_batch_withdraw(batch=batch, by=cast(User, request.user), at=timezone.now())).data
        )
