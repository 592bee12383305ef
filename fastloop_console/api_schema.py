"""The OpenAPI schema: names of serializers, what lists and errors look like, and an example of each reply.

A serializer nested in a view is called after it: `RunsAPI.InputSerializer` -> `RunsInput`.
"""

import json
from functools import cache
from typing import Any

from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiExample
from rest_framework.serializers import BaseSerializer

from apps.people.models import Scope
from apps.people.token_access import scope_needed
from fastloop_console.api_errors import PROBLEM
from fastloop_console.machine.env import ROOT

EXAMPLES = (
    ROOT / "docs/api-examples.json"
)  # operation id -> {"request", "response"}, recorded from real calls by a test
PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "Problem details of RFC 9457. Some problems say more: `fields` names what does not fit, and why.",
    "properties": {
        "type": {"type": "string", "description": "Always about:blank; `code` tells problems apart."},
        "title": {"type": "string", "description": "The words of the status."},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "One sentence for a person: what is true, and what is next."},
        "code": {"type": "string", "description": "One word for programs."},
        "fields": {"description": "Input by input, what does not fit.", "additionalProperties": True},
    },
    "required": ["type", "title", "status", "detail", "code"],
    "additionalProperties": True,
}
PROBLEMS = {
    "400": "The request cannot be read, or a field does not fit: see `fields`",
    "401": "No token, or one that is not known any more",
    "403": "Your role does not allow it; the sentence says which does",
    "404": "There is no such thing in this project, or the project is not yours",
    "409": "The rules of the loop say no; the sentence says why and what is next",
    "413": "The body is larger than this console takes at once; nothing was stored",
    "422": "It is well formed and cannot be taken; the sentence says why",
    "429": "Too many at once, or too often; `Retry-After` says after how many seconds to ask again",
    "default": "Any other refusal or fault, in the same form",
}


class ApiSchema(AutoSchema):
    def get_serializer_name(self, serializer: BaseSerializer, direction: str) -> str:
        return serializer.__class__.__qualname__.replace("API.", "").replace("Serializer", "")

    def _map_serializer_field(self, field: Any, direction: Any, bypass_extensions: bool = False) -> Any:
        """Any value is also null: `oneOf: [{}, null]` would fit null twice, which is once too often."""
        found = super()._map_serializer_field(field, direction, bypass_extensions)  # type: ignore[no-untyped-call]
        choices = found.get("oneOf", []) if isinstance(found, dict) else []
        return {k: v for k, v in found.items() if k != "oneOf"} if {} in choices else found

    def get_description(self) -> str:  # type: ignore[override]
        """What the method says of itself; the view's own words are for whoever reads the code."""
        return str(getattr(getattr(self.view, self.method.lower(), None), "__doc__", None) or "").strip()

    def scopes(self) -> tuple[str, ...]:
        """Those that suffice, in the words of Scope; what the token's owner may is asked besides."""
        needed = scope_needed(str(self.method), getattr(self.view, "needs", {}))
        return (needed.value,) if needed == Scope.WRITE else (needed.value, Scope.WRITE.value)

    def get_operation(self, *given: Any, **more: Any) -> Any:
        """With the scopes of tokens that may ask for it, for people and for programs."""
        found = super().get_operation(*given, **more)
        if not found:
            return found
        words = (found.get("description"), f"Scope of the token: {' or '.join(self.scopes())}.")
        return {**found, "description": "\n\n".join(filter(None, words)), "x-token-scopes": list(self.scopes())}

    def get_examples(self) -> list[OpenApiExample]:
        found = recorded().get(self.get_operation_id(), {})
        examples = []
        if "request" in found:
            examples.append(OpenApiExample("a call", value=found["request"], request_only=True))
        if "response" in found:
            rows = (
                found["response"]["results"] if self._is_list_view() else [found["response"]]
            )  # it wraps one by itself
            examples.extend(OpenApiExample("its reply", value=row, response_only=True) for row in rows[:1])
        return examples

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        reference = self._problem().ref
        for status in self._statuses():
            bodies.setdefault(status, {"content": {PROBLEM: {"schema": reference}}, "description": PROBLEMS[status]})
        if "429" in bodies:
            bodies["429"]["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
        return bodies

    def _statuses(self) -> list[str]:
        """Those that this operation can give."""
        reads = self.method == "GET"
        without = {"409", "413", "422"} if reads else set()
        if self.method not in getattr(self.view, "makes_wait", ()):
            without |= {"429"}
        if "{" not in self.path:
            without |= {"404"}
        return [status for status in PROBLEMS if status not in without]

    def _problem(self) -> ResolvedComponent:
        component = ResolvedComponent(  # type: ignore[no-untyped-call]
            name="Problem", type=ResolvedComponent.SCHEMA, schema=PROBLEM_SCHEMA, object="problem"
        )
        self.registry.register_on_missing(component)
        return component


@cache
def recorded() -> dict[str, Any]:
    return dict(json.loads(EXAMPLES.read_text())) if EXAMPLES.exists() else {}


class GrantedTokenScheme(KnoxTokenScheme):  # type: ignore[no-untyped-call]  # spectacular finds it by its class
    target_class = "apps.people.token_access.GrantedTokenAuthentication"
