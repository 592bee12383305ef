"""What every page is made of."""

from django import template

from apps.pages import script_words

register = template.Library()


@register.simple_tag
def script_words_url() -> str:
    """Where the words are that scripts say in the reader's language; a page loads them before any script with words."""
    return script_words.script_words_url()
