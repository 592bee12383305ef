"""Names in the OpenAPI schema: a serializer nested in a view is called after it, `RunsAPI.InputSerializer` -> `RunsInput`."""

from drf_spectacular.openapi import AutoSchema
from rest_framework.serializers import BaseSerializer


class ApiSchema(AutoSchema):
    def get_serializer_name(self, serializer: BaseSerializer, direction: str) -> str:
        return serializer.__class__.__qualname__.replace("API.", "").replace("Serializer", "")
