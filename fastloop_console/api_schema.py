"""Names in the OpenAPI schema: a serializer nested in a view is called after it, `RunsAPI.InputSerializer` -> `RunsInput`."""

from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from drf_spectacular.openapi import AutoSchema
from rest_framework.serializers import BaseSerializer


class ApiSchema(AutoSchema):
    def get_serializer_name(self, serializer: BaseSerializer, direction: str) -> str:
        return serializer.__class__.__qualname__.replace("API.", "").replace("Serializer", "")


class GrantedTokenScheme(KnoxTokenScheme):  # type: ignore[no-untyped-call]  # spectacular finds it by its class
    target_class = "apps.people.token_access.GrantedTokenAuthentication"
