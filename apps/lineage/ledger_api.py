"""What training cost, over the API."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.lineage.ledger import ledger_of
from apps.projects.api_access import ProjectAPI
from apps.projects.roles import Permission


class SpentSerializer(serializers.Serializer):
    runs = serializers.IntegerField()
    device_s = serializers.FloatField()
    wasted_s = serializers.FloatField(
        help_text="Of runs whose model was never promoted, failed and canceled ones included."
    )
    wasted_share = serializers.FloatField(allow_null=True)


class LedgerAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_RUNS}

    class MonthSerializer(SpentSerializer):
        month = serializers.DateField(help_text="Its first day.")
        kinds = serializers.DictField(child=SpentSerializer())
        devices = serializers.DictField(child=serializers.FloatField(), help_text="Seconds by name of device.")

    @extend_schema(
        operation_id="ledger_list",
        responses=MonthSerializer(many=True),
        summary="Device seconds by month, newest first",
    )
    def get(self, request: Request, project_id: int) -> Response:
        months = ledger_of([self.project]).get(self.project.pk, ())
        rows = [
            {"month": each.month, **SpentSerializer(each.total).data, "devices": dict(each.devices)}
            | {"kinds": {kind.value: SpentSerializer(spent).data for kind, spent in each.kinds}}
            for each in months
        ]
        return self.page(rows, self.MonthSerializer)
