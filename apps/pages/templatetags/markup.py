"""What every page is made of: the words of its scripts, figures with their notes, and what stands where nothing is."""

from html import unescape
from typing import Any

from django import template
from django.template.base import FilterExpression, NodeList, Parser, Token, token_kwargs
from django.template.context import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

from apps.pages import script_words
from apps.pages.templatetags.wording import glyph, icon

register = template.Library()
STAGES = {"collect", "annotate", "train", "evaluate", "deploy", "monitor"}  # their shapes are glyphs


@register.simple_tag
def script_words_url() -> str:
    """Where the words are that scripts say in the reader's language; a page loads them before any script with words."""
    return script_words.script_words_url()


class StatNode(template.Node):
    child_nodelists = ("value", "note")

    def __init__(
        self, title: FilterExpression, given: dict[str, FilterExpression], value: NodeList, note: NodeList
    ) -> None:
        self.title, self.given, self.value, self.note = title, given, value, note

    def render(self, context: Context) -> SafeString:
        given = {name: expression.resolve(context) for name, expression in self.given.items()}
        in_words = given.get("in_words", False) or given.get("known", 0) in (None, "")
        note = self.note.render(context).strip()
        return format_html(
            '<div class="stat"><dt>{}</dt><dd{}>{}</dd>{}</div>',
            self.title.resolve(context),
            mark_safe(' class="said"') if in_words else "",
            mark_safe(self.value.render(context).strip()),
            format_html('<dd class="note">{}</dd>', mark_safe(note)) if note else "",
        )


@register.tag
def stat(parser: Parser, token: Token) -> StatNode:
    """`{% stat _("Right") known=share %}41 %{% note %}of 90 answers{% endstat %}`: a figure, and a note that may be empty.

    Words are set smaller than numbers: `in_words=True` says that they are words, `known=x` that they are where x is None.
    """
    title, *rest = token.split_contents()[1:]
    given = token_kwargs(rest, parser)
    value, note = parser.parse(("note", "endstat")), NodeList()
    if parser.next_token().contents == "note":
        note = parser.parse(("endstat",))
        parser.delete_first_token()
    if rest or set(given) - {"known", "in_words"}:
        raise template.TemplateSyntaxError(f"A stat has a title, known and in_words, not {token.contents}.")
    return StatNode(parser.compile_filter(title), given, value, note)


@register.simple_block_tag
def void(content: str, shape: str, title: Any, kind: str = "", level: int = 2) -> SafeString:
    """`{% void "target" _("No gold yet") %}<p>...</p>{% endvoid %}`: what stands where nothing is, and what to do.

    `shape` is an icon or a stage; `kind` ok, warn, breach or paused colors it.
    """
    return format_html(
        '<div class="{}">{}<h{}>{}</h{}>{}</div>',
        f"void {kind}".strip(),
        glyph(shape) if shape in STAGES else icon(shape),
        level,
        title,
        level,
        content,
    )


@register.simple_block_tag
def call_to_copy(content: str) -> SafeString:
    """`{% call_to_copy %}curl ...{% endcall_to_copy %}`: a call as it stands in the shell, and a button that copies it."""
    text = unescape(content.strip())
    return format_html(
        '<div class="call"><pre class="log" tabindex="0">{}</pre>'
        '<button class="btn" type="button" data-copy="{}">{}</button></div>',
        text,
        text,
        gettext("Copy"),
    )
