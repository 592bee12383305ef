"""The API's door to a project: token or session, then the same permission table as the pages."""

from collections.abc import Sequence
from typing import Any, ClassVar, cast

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from apps.accounts.models import User
from apps.pages.pagination import Pages
from apps.projects.access import SAFE, project_for
from apps.projects.models import Project
from apps.projects.roles import Permission


class ListingAPI(APIView):
    """A view whose lists come in pages."""

    pagination_class = Pages  # the schema reads it

    def page(
        self, rows: QuerySet[Any] | Sequence[Any], serializer: type[BaseSerializer], **context: object
    ) -> Response:
        """One page of a list, as `{"next", "previous", "results"}`; `context` reaches the serializer."""
        pages = self.pagination_class()
        found = pages.paginate_queryset(rows, self.request, view=self)
        return pages.get_paginated_response(serializer(found, many=True, context=context).data)


class ProjectAPI(ListingAPI):
    """A view below `/projects/<project_id>/`; `needs` says which permission each method asks for."""

    needs: ClassVar[dict[str, Permission]] = {}
    in_archive: ClassVar[frozenset[str]] = frozenset()  # methods beside the reading ones that an archived project takes
    project: Project

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        method = str(request.method)
        if method in self.needs:
            changes = method not in SAFE | self.in_archive
            self.project = project_for(
                cast(User, request.user), kwargs["project_id"], self.needs[method], changes=changes
            )
