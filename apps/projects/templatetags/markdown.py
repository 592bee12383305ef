"""`{{ text|markdown }}`: guidelines as people wrote them."""

from django import template
from django.utils.safestring import SafeString

from apps.projects import markdown as rendering

register = template.Library()


@register.filter
def markdown(text: str | None) -> SafeString:
    return rendering.markdown(text or "")
