"""One field of a form: its label, the input, a hint, and what is wrong with it."""

from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput

register = template.Library()


@register.inclusion_tag("_field.html")
def field(bound: BoundField, label: str = "", hint: str = "") -> dict[str, Any]:
    """`{% field form.name "Name" "As others see it" %}`; without a hint the field's own help text stands there."""
    hint = hint or str(bound.help_text)
    notes = [f"{bound.auto_id}-hint"] if hint else []
    notes += [f"{bound.auto_id}-error"] if bound.errors else []
    ticked = isinstance(bound.field.widget, CheckboxInput)
    attributes: dict[str, Any] = {} if ticked else {"class": "input"}
    if notes:
        attributes["aria-describedby"] = " ".join(notes)
    if bound.errors:
        attributes["aria-invalid"] = "true"
    written = bound.as_widget(attrs=attributes)
    return {"bound": bound, "label": label or bound.label, "hint": hint, "input": written, "ticked": ticked}


@register.inclusion_tag("_form_errors.html")
def form_errors(form: Any) -> dict[str, Any]:
    """The line on top of a form that was not taken."""
    return {"form": form, "count": len(form.errors) - (1 if form.non_field_errors() else 0)}
