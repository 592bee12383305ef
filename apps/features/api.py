"""Encoders over the API: what there is, bring one, try one again."""

from typing import cast

from django.utils import timezone
from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.models import User
from apps.errors import Forbidden
from apps.features.selectors import encoders_listed
from apps.features.services import MOST_TITLE, encoder_add, encoder_check_again
from apps.projects.api_access import ListingAPI
from apps.rules.encoders import MOST_NAME


class EncoderOutput(serializers.Serializer):
    name = serializers.CharField(help_text="The key of its vectors.")
    title = serializers.CharField()
    payload = serializers.CharField(help_text="The kind of payload it reads: text, image or tabular.")
    dim = serializers.IntegerField(help_text="Numbers of a vector; 0 until it has been loaded once.")
    weights_in = serializers.CharField(help_text="package or folder")
    url = serializers.CharField()
    state = serializers.CharField(help_text="checking, ready or failed")
    error = serializers.CharField()


class EncodersAPI(ListingAPI):
    class InputSerializer(serializers.Serializer):
        name = serializers.CharField(max_length=MOST_NAME)
        title = serializers.CharField(max_length=MOST_TITLE, required=False, default="", allow_blank=True)
        url = serializers.CharField(max_length=400, help_text="A folder as sentence-transformers saves it.")

    @extend_schema(operation_id="encoders_list", responses=EncoderOutput(many=True), summary="Encoders there are")
    def get(self, request: Request) -> Response:
        if not cast(User, request.user).is_superuser:
            raise Forbidden(gettext("Only an admin of the console looks after its encoders."))
        return self.page(encoders_listed(), EncoderOutput)

    @extend_schema(
        operation_id="encoders_add", request=InputSerializer, responses={201: EncoderOutput}, summary="Bring an encoder"
    )
    def post(self, request: Request) -> Response:
        given = self.InputSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        added = encoder_add(**given.validated_data, by=cast(User, request.user), at=timezone.now())
        return Response(EncoderOutput(added).data, status=201)


class EncoderCheckAPI(APIView):
    @extend_schema(
        operation_id="encoders_check", request=None, responses={202: EncoderOutput}, summary="Load an encoder again"
    )
    def post(self, request: Request, name: str) -> Response:
        checked = encoder_check_again(name=name, by=cast(User, request.user))
        return Response(EncoderOutput(checked).data, status=202)
