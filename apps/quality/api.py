"""Quality over the API: what the pages say, with the interval or the reason why there is none."""

from dataclasses import asdict
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.projects.api_access import ProjectAPI
from apps.projects.roles import Permission
from apps.quality import selectors
from apps.quality.people import Person, team_of
from apps.quality.votes import Agreed, agreed_of
from apps.rules.agreement import Share


class CoefficientOutput(serializers.Serializer):
    value = serializers.FloatField(allow_null=True, help_text="1 is perfect, 0 is chance; null where undefined.")
    low = serializers.FloatField(allow_null=True, help_text="Of the 95 % bootstrap interval over the examples.")
    high = serializers.FloatField(allow_null=True)
    examples = serializers.IntegerField(help_text="That at least two people answered.")
    people = serializers.IntegerField()
    reason = serializers.CharField(help_text="Why there is no value; empty where there is one.")


class LabelAgreementOutput(CoefficientOutput):
    name = serializers.CharField()
    retired = serializers.BooleanField()


class ShareOutput(serializers.Serializer):
    times = serializers.IntegerField()
    of = serializers.IntegerField()
    value = serializers.FloatField(allow_null=True, help_text="Null where nobody looked yet.")
    low = serializers.FloatField(allow_null=True, help_text="95 % interval (Wilson).")
    high = serializers.FloatField(allow_null=True)


class ConsensusOutput(serializers.Serializer):
    method = serializers.CharField(help_text="In force: majority or dawid-skene.")
    sentence = serializers.CharField()
    gold_examples = serializers.IntegerField()
    majority_right = serializers.IntegerField()
    dawid_skene_right = serializers.IntegerField()
    at = serializers.DateTimeField()


class ReviewsOutput(serializers.Serializer):
    open = serializers.IntegerField()
    decided = serializers.IntegerField()
    closed = serializers.IntegerField(help_text="Settled by later answers.")
    kinds = serializers.DictField(child=serializers.IntegerField(), help_text="What reviewers found, with counts.")


class DoubtsOutput(serializers.Serializer):
    waiting = serializers.IntegerField()
    corrected = serializers.IntegerField()
    stands = serializers.IntegerField()
    moot = serializers.IntegerField()
    precision = ShareOutput(help_text="Corrected of all that somebody looked at again.")


SHARE = {"times": 171, "of": 180, "value": 0.95, "low": 0.9078, "high": 0.9734}
EXAMPLE = {
    "agreement": {"value": 0.743, "low": 0.68, "high": 0.79, "examples": 812, "people": 6, "reason": ""},
    "fleiss": {"value": 0.741, "low": 0.68, "high": 0.79, "examples": 812, "people": 6, "reason": ""},
    "share": 0.87,
    "labels": [
        {
            "value": None,
            "low": None,
            "high": None,
            "examples": 812,
            "people": 6,
            "name": "spam",
            "retired": False,
            "reason": "Nobody gave this label to a shared example.",
        }
    ],
    "consensus": {
        "method": "majority",
        "gold_examples": 12,
        "majority_right": 11,
        "dawid_skene_right": 12,
        "sentence": "Majority is in force. On 12 gold examples majority is right 11 times, Dawid-Skene 12 times: too few "
        "to tell, 18 more can.",
        "at": "2026-11-02T12:00:00Z",
    },
    "gold": SHARE,
    "reviews": {"open": 3, "decided": 40, "closed": 2, "kinds": {"slip": 22, "guideline-gap": 9}},
    "doubts": {
        "waiting": 12,
        "corrected": 18,
        "stands": 4,
        "moot": 1,
        "precision": {"times": 18, "of": 22, "value": 0.818, "low": 0.615, "high": 0.927},
    },
}


class QualityAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_QUALITY}

    class OutputSerializer(serializers.Serializer):
        agreement = CoefficientOutput(help_text="Krippendorff’s alpha.")
        fleiss = CoefficientOutput(allow_null=True, help_text="Null where answers have several parts.")
        share = serializers.FloatField(allow_null=True, help_text="Mean likeness of two answers to one example.")
        labels = LabelAgreementOutput(many=True, help_text="Each label against the rest.")
        consensus = ConsensusOutput(allow_null=True, help_text="Null until the methods were compared.")
        gold = ShareOutput(help_text="Right answers to gold examples, by everybody.")
        reviews = ReviewsOutput()
        doubts = DoubtsOutput()

    @extend_schema(
        operation_id="quality_read",
        responses=OutputSerializer,
        summary="How far the answers can be trusted",
        examples=[OpenApiExample("A team of six", value=EXAMPLE, response_only=True)],
    )
    def get(self, request: Request, project_id: int) -> Response:
        agreed, reviews, doubts = (
            agreed_of(self.project),
            selectors.reviews_of(self.project),
            selectors.doubts_of(self.project),
        )
        found = {
            **_agreement(agreed),
            "consensus": selectors.consensus_of(self.project).report,
            "gold": selectors.gold_sums(self.project).share,
            "reviews": {**asdict(reviews), "kinds": {kind: n for kind, _, n in reviews.kinds}},
            "doubts": doubts,
        }
        return Response(self.OutputSerializer(found).data)


def _agreement(agreed: Agreed) -> dict[str, Any]:
    labels = [{**asdict(x.coefficient), "name": x.name, "retired": x.retired} for x in agreed.labels]
    return {"agreement": agreed.overall, "fleiss": agreed.fleiss, "share": agreed.share, "labels": labels}


class PersonOutput(serializers.Serializer):
    user_id = serializers.IntegerField()
    name = serializers.CharField()
    answers = serializers.IntegerField()
    skips = serializers.DictField(child=serializers.IntegerField(), help_text="By reason.")
    per_hour = serializers.FloatField(allow_null=True, help_text="Of active time.")
    median_s = serializers.FloatField(allow_null=True)
    under_2_s = ShareOutput()
    agreement = serializers.FloatField(
        allow_null=True, help_text="Mean likeness with what others said of the same examples."
    )
    meetings = serializers.IntegerField(help_text="Comparisons with an answer of somebody else.")
    gold = ShareOutput()
    suggestions_accepted = ShareOutput()
    planted_accepted = ShareOutput(help_text="Wrong suggestions, shown on purpose on gold, that were taken.")
    guess_shown = ShareOutput(help_text="Answers that are the model’s guess, where it was shown.")
    guess_hidden = ShareOutput(help_text="The same where chance hid it.")
    paused = serializers.BooleanField()
    last_answer_at = serializers.DateTimeField(allow_null=True)


PERSON = {
    "user_id": 7,
    "name": "Ada",
    "answers": 1840,
    "skips": {"unclear": 12},
    "per_hour": 410.2,
    "median_s": 6.4,
    "under_2_s": SHARE,
    "agreement": 0.91,
    "meetings": 903,
    "gold": SHARE,
    "suggestions_accepted": SHARE,
    "planted_accepted": SHARE,
    "guess_shown": SHARE,
    "guess_hidden": SHARE,
    "paused": False,
    "last_answer_at": "2026-11-02T12:00:00Z",
}


class PeopleAPI(ProjectAPI):
    needs: ClassVar[dict[str, Permission]] = {"GET": Permission.VIEW_QUALITY}

    class OutputSerializer(serializers.Serializer):
        people = PersonOutput(many=True)

    @extend_schema(
        operation_id="quality_people",
        responses=OutputSerializer,
        summary="Pace, agreement and gold of each person",
        examples=[OpenApiExample("One person", value={"people": [PERSON]}, response_only=True)],
    )
    def get(self, request: Request, project_id: int) -> Response:
        people = [_person(person) for person in team_of(self.project).people]
        return Response(self.OutputSerializer({"people": people}).data)


def _person(person: Person) -> dict[str, Any]:
    work, partner = person.work, person.partner
    shares: dict[str, Share] = {
        "under_2_s": work.fast,
        "gold": work.gold,
        "suggestions_accepted": work.accepted,
        "planted_accepted": work.planted,
        "guess_shown": work.anchoring.shown,
        "guess_hidden": work.anchoring.hidden,
    }
    return {
        "user_id": person.user.pk,
        "name": str(person.user),
        "answers": work.answers,
        "skips": person.skipped,
        "per_hour": work.per_hour,
        "median_s": work.median_s,
        "agreement": partner.share if partner else None,
        "meetings": partner.meetings if partner else 0,
        "paused": person.pause is not None,
        "last_answer_at": work.last_at,
        **shares,
    }
