"""The tags that pages are made of."""

import pytest
from django.template import Context, Template, TemplateSyntaxError


def shown(source: str, **context: object) -> str:
    return Template("{% load markup i18n %}" + source).render(Context(context))


def test_a_figure_stands_under_its_title_with_its_note() -> None:
    page = shown('{% stat _("Right") %} 41 % {% note %} of {{ n }} {% endstat %}', n=90)
    assert page == '<div class="stat"><dt>Right</dt><dd>41 %</dd><dd class="note">of 90</dd></div>'


def test_a_note_that_says_nothing_is_left_out() -> None:
    without = '<div class="stat"><dt>Right</dt><dd>41</dd></div>'
    assert shown('{% stat "Right" %}41{% endstat %}') == without
    assert shown('{% stat "Right" %}41{% note %}{% if n %}of {{ n }}{% endif %}{% endstat %}') == without


@pytest.mark.parametrize(("value", "in_words"), [(None, True), (0, False), (0.0, False), (41, False)])
def test_a_figure_that_is_not_known_is_set_as_words(value: float | None, in_words: bool) -> None:
    page = shown('{% stat "Right" known=value %}x{% endstat %}', value=value)
    assert ('<dd class="said">' in page) is in_words


def test_titles_and_figures_of_people_stay_text() -> None:
    page = shown("{% stat title %}{{ title }}{% note %}{{ title }}{% endstat %}", title="<b>")
    assert page.count("&lt;b&gt;") == 3 and "<b>" not in page
    assert "<h2>&lt;b&gt;</h2>" in shown("{% void 'ok' title %}{% endvoid %}", title="<b>")


def test_a_stat_refuses_what_it_does_not_know() -> None:
    with pytest.raises(TemplateSyntaxError, match="title, known and in_words"):
        shown('{% stat "Right" words=True %}x{% endstat %}')


def test_an_empty_state_has_its_shape_its_heading_and_what_to_do() -> None:
    page = shown('{% void "target" _("No gold yet") level=3 %}<p>Add some.</p>{% endvoid %}')
    icon = '<svg class="i" aria-hidden="true"><use href="#i-target"/></svg>'
    assert page == f'<div class="void">{icon}<h3>No gold yet</h3><p>Add some.</p></div>'
    stage = shown('{% void "train" "Broken" kind="breach" %}{% endvoid %}')
    assert stage.startswith('<div class="void breach"><svg class="g s-train"') and "<h2>Broken</h2>" in stage
