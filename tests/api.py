"""The API as an integrator uses it: a token in the header, JSON both ways."""

from typing import Any

from knox.models import AuthToken
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.projects.models import Project


def api_of(user: User) -> APIClient:
    """A client with a fresh token of this person."""
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {AuthToken.objects.create(user=user)[1]}")
    return client


def at(project: Project, rest: str = "") -> str:
    return f"/api/v1/projects/{project.pk}/{rest}"


def post(user: User, address: str, **body: Any) -> Any:
    """One JSON request by this person."""
    return api_of(user).post(address, body, format="json")
