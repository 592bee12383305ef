"""Pages of lists in the API: a cursor, so that no row is shown twice or passed over while others come in."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext, gettext_lazy
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView


class Pages(CursorPagination):
    """`{"next", "previous", "results"}`; `next` is the whole address of the page that follows, null at the end."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 1000
    page_size_query_description = "Rows of a page, 1000 at most."
    cursor_query_description = "Where the page begins, as `next` and `previous` carry it."
    invalid_cursor_message: Any = gettext_lazy("This cursor leads nowhere. Begin without one.")

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: APIView | None = None
    ) -> list[Any]:
        """A query in its own order, which must begin with something that no two rows share; or a list as it is."""
        if isinstance(queryset, QuerySet) and not queryset.query.is_sliced:
            return super().paginate_queryset(queryset, request, view) or []
        return self._of_list(list(queryset), request)

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: APIView) -> tuple[str, ...]:
        """By the first thing that the query is ordered by, where it is unique; else by key, the newest first."""
        given = queryset.query.order_by or tuple(queryset.model._meta.ordering) or ("-pk",)
        first = str(given[0])
        if first.lstrip("-") in ("number", "example_id"):  # unique within what is listed, of one project
            return (first,)
        return (("-" if first.startswith("-") else "") + "pk",)

    def get_page_size(self, request: Request) -> int:
        """Raises ValidationError for what is no number of rows."""
        text = request.query_params.get(self.page_size_query_param, "")
        if not text:
            return self.page_size
        size = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0
        if not 1 <= size <= self.max_page_size:
            words = gettext("A page has 1 to {n} rows.").format(n=self.max_page_size)
            raise ValidationError({self.page_size_query_param: [words]})
        return size

    def _of_list(self, rows: Sequence[Any], request: Request) -> list[Any]:
        """What is computed rather than stored: the cursor counts."""
        self.base_url, self.request = request.build_absolute_uri(), request
        size = self.get_page_size(request)
        text = request.query_params.get(self.cursor_query_param, "0")
        if not (text.isascii() and text.isdecimal() and len(text) < 10):
            raise NotFound(self.invalid_cursor_message)
        start = int(text)
        self._next = str(start + size) if start + size < len(rows) else ""
        self._previous = str(max(0, start - size)) if start else ""
        self._listed = True
        return list(rows[start : start + size])

    _listed = False

    def get_next_link(self) -> str | None:
        if not self._listed:
            return super().get_next_link()
        return replace_query_param(self.base_url or "", self.cursor_query_param, self._next) if self._next else None

    def get_previous_link(self) -> str | None:
        if not self._listed:
            return super().get_previous_link()
        return (
            replace_query_param(self.base_url or "", self.cursor_query_param, self._previous)
            if self._previous
            else None
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        example = "https://console.example/api/v1/projects/1/examples/?cursor=cD0xNzg%3D"
        link = {"type": ["string", "null"], "format": "uri", "example": example}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "next": {**link, "description": "The address of the page that follows; null at the end."},
                "previous": {**link, "description": "The address of the page before; null at the beginning."},
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        parameters = super().get_schema_operation_parameters(view)
        for each in parameters:
            if each["name"] == self.page_size_query_param:
                each["schema"] |= {"minimum": 1, "maximum": self.max_page_size, "default": self.page_size}
        return parameters
