"""Someone who runs the console."""

import pytest

from apps.accounts.models import User
from tests.conftest import person


@pytest.fixture
def keeper(db: None) -> User:
    return person("kim", "Kim", is_superuser=True, is_staff=True)
