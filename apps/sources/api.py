"""Sources over the API: set them up, send events, see how they fare, pause, resume, read again."""

from typing import Any, ClassVar, cast

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.models import User
from apps.pages.sentences import in_words
from apps.projects.api_access import ProjectAPI
from apps.projects.roles import Permission
from apps.rules.sentences import parts_of
from apps.sources import selectors, services, states
from apps.sources.models import Source, SourceState

SET = dict.fromkeys(("GET", "POST", "PATCH", "DELETE"), Permission.SET_SOURCES)


class SourcePlaceInput(serializers.Serializer):
    stream = serializers.CharField(max_length=249, help_text="The stream, or the topic.")
    partitions = serializers.IntegerField(default=1, min_value=1, max_value=16, help_text="Of a Redis stream.")
    format = serializers.ChoiceField(("json", "avro"), default="json", help_text="Of the events of a Kafka topic.")


class SourceInput(serializers.Serializer):
    name = serializers.CharField(max_length=80)
    kind = serializers.CharField(default="redis-stream", max_length=40)
    place = SourcePlaceInput()
    events = serializers.CharField(max_length=20, help_text="examples, labels or feedback.")
    mapping = serializers.DictField(
        child=serializers.CharField(max_length=200),
        default=dict,
        help_text="By name of ours the path in an event; empty where events use our names.",
    )
    paused = serializers.BooleanField(default=False)


class SourceChangeInput(serializers.Serializer):
    name = serializers.CharField(max_length=80, required=False)
    place = SourcePlaceInput(required=False)
    mapping = serializers.DictField(child=serializers.CharField(max_length=200), required=False)
    running = serializers.BooleanField(required=False, help_text="False pauses it, true lets it go on.")


class SourcePartitionOutput(serializers.Serializer):
    name = serializers.CharField()
    position = serializers.CharField(help_text="After the last event whose rows are committed; empty: the beginning.")
    behind = serializers.IntegerField(help_text="Events that waited at the last look.")
    behind_s = serializers.FloatField(help_text="Age of the oldest of them.")
    looked_at = serializers.DateTimeField(allow_null=True)


class SourceOutput(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    kind = serializers.CharField()
    place = serializers.DictField()
    events = serializers.CharField()
    mapping = serializers.DictField(child=serializers.CharField())
    state = serializers.ChoiceField(choices=SourceState.values)
    state_since = serializers.DateTimeField()
    reason = serializers.CharField(help_text="Why the console stopped it.")
    note = serializers.CharField(help_text="What is wrong now and may pass.")
    partitions = SourcePartitionOutput(many=True)


class SourceLetterOutput(serializers.Serializer):
    id = serializers.IntegerField()
    partition = serializers.CharField(source="partition.name")
    offset = serializers.CharField()
    reason = serializers.CharField()
    raw = serializers.CharField(help_text="The beginning of what came.")
    at = serializers.DateTimeField()
    next_try_at = serializers.DateTimeField(allow_null=True, help_text="Of one that waits for its example.")


class SourceTrialOutput(serializers.Serializer):
    fine = serializers.BooleanField()
    words = serializers.CharField()


class SourceEventsInput(serializers.Serializer):
    events = serializers.ListField(child=serializers.DictField(), help_text="1 to 1,000, each of at most 1 MB.")


class SourceEventsOutput(serializers.Serializer):
    offsets = serializers.ListField(child=serializers.CharField())


class SourceReplayInput(serializers.Serializer):
    since = serializers.CharField(max_length=60, help_text="beginning, end, an offset, or a moment as ISO 8601.")


class SourceAPIBase(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = SET

    def found(self, source_id: int) -> Source:
        return selectors.source_of(self.project, source_id)

    def told(self, source_id: int) -> Response:
        return Response(SourceOutput(selectors.source_of(self.project, source_id)).data)


class SourcesAPI(SourceAPIBase):
    @extend_schema(operation_id="sources_list", responses=SourceOutput(many=True), summary="Sources of events")
    def get(self, request: Request, project_id: int) -> Response:
        return self.page(selectors.sources_with_partitions(self.project), SourceOutput)

    @extend_schema(
        operation_id="sources_add",
        request=SourceInput,
        responses={201: SourceOutput},
        summary="Have a stream read, in your name and with your rights",
    )
    def post(self, request: Request, project_id: int) -> Response:
        given = SourceInput(data=request.data)
        given.is_valid(raise_exception=True)
        by = cast(User, request.user)
        made = services.source_add(project=self.project, by=by, at=timezone.now(), **given.validated_data)
        answer = self.told(made.pk)
        answer.status_code = 201
        return answer


class SourceAPI(SourceAPIBase):
    @extend_schema(operation_id="sources_read", responses=SourceOutput, summary="One source and how far it is")
    def get(self, request: Request, project_id: int, source_id: int) -> Response:
        return self.told(self.found(source_id).pk)

    @extend_schema(
        operation_id="sources_change",
        request=SourceChangeInput,
        responses=SourceOutput,
        summary="Change what you name; pause it or let it go on",
    )
    def patch(self, request: Request, project_id: int, source_id: int) -> Response:
        given = SourceChangeInput(data=request.data)
        given.is_valid(raise_exception=True)
        said: dict[str, Any] = dict(given.validated_data)
        found, by, at = self.found(source_id), cast(User, request.user), timezone.now()
        running = said.pop("running", None)
        if said:
            services.source_change(source=found, by=by, at=at, **said)
        if running is not None:
            (states.source_resume if running else states.source_pause)(source=found, by=by, at=at)
        return self.told(found.pk)

    @extend_schema(operation_id="sources_remove", responses={204: None}, summary="Remove it; what it brought stays")
    def delete(self, request: Request, project_id: int, source_id: int) -> Response:
        services.source_remove(source=self.found(source_id), by=cast(User, request.user), at=timezone.now())
        return Response(status=204)


class SourceEventsAPI(SourceAPIBase):
    needs: ClassVar[dict[str, Permission]] = {"POST": Permission.SET_SOURCES}

    @extend_schema(
        operation_id="source_events_send",
        request=SourceEventsInput,
        responses={202: SourceEventsOutput},
        summary="Put events into the source's stream, where they wait to be read",
    )
    def post(self, request: Request, project_id: int, source_id: int) -> Response:
        found, given = self.found(source_id), SourceEventsInput(data=request.data)
        given.is_valid(raise_exception=True)
        offsets = services.events_push(source=found, events=given.validated_data["events"])
        return Response(SourceEventsOutput({"offsets": offsets}).data, status=202)


class SourceLettersAPI(SourceAPIBase):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.SET_SOURCES}

    @extend_schema(
        operation_id="source_letters_list",
        responses=SourceLetterOutput(many=True),
        summary="Events that could not be taken, or that wait for their example, newest first",
    )
    def get(self, request: Request, project_id: int, source_id: int) -> Response:
        return self.page(selectors.letters_of(self.found(source_id)), SourceLetterOutput)


class SourceTestAPI(SourceAPIBase):
    needs: ClassVar[dict[str, Permission]] = {"POST": Permission.SET_SOURCES}

    @extend_schema(
        operation_id="sources_test",
        request=None,
        responses=SourceTrialOutput,
        summary="Whether it can be read, in words; nothing is taken",
    )
    def post(self, request: Request, project_id: int, source_id: int) -> Response:
        trial = services.source_test(source=self.found(source_id))
        words = in_words(trial.words, parts_of(trial.words))
        return Response(SourceTrialOutput({"fine": trial.fine, "words": words}).data)


class SourceReplayAPI(SourceAPIBase):
    needs: ClassVar[dict[str, Permission]] = {"POST": Permission.SET_SOURCES}

    @extend_schema(
        operation_id="sources_replay",
        request=SourceReplayInput,
        responses=SourceOutput,
        summary="Read it again from somewhere; what is known does nothing again",
    )
    def post(self, request: Request, project_id: int, source_id: int) -> Response:
        found, given = self.found(source_id), SourceReplayInput(data=request.data)
        given.is_valid(raise_exception=True)
        services.source_replay(source=found, by=cast(User, request.user), at=timezone.now(), **given.validated_data)
        return self.told(found.pk)
