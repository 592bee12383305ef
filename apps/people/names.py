"""Names that people sign in with and are shown by."""

from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from apps.accounts.models import User
from apps.errors import Invalid
from apps.pages.sentences import refusal
from apps.rules.values.names import looks, name_of
from apps.rules.values.refusals import ValueRefused

MOST_USERNAME = 150


def username_of(given: str) -> str:
    """A free one. Raises Invalid where it has odd characters, or looks like one that is taken."""
    try:
        name = name_of(given, gettext("The user name"), MOST_USERNAME)
        UnicodeUsernameValidator()(name)
    except (ValueRefused, ValidationError) as wrong:
        words = " ".join(wrong.messages) if isinstance(wrong, ValidationError) else str(wrong)
        raise Invalid(words, field="username") from None
    if looks(name) in {looks(each) for each in User.objects.values_list("username", flat=True)}:
        raise Invalid(gettext("Somebody signs in as “{username}” already.").format(username=name), field="username")
    return name


def display_name_of(given: str) -> str:
    """Tidy, and empty where nothing is left. Raises Invalid."""
    try:
        return name_of(given, gettext("The display name")) if given.strip() else ""
    except ValueRefused as wrong:
        raise Invalid(refusal(wrong), field="display_name") from None
