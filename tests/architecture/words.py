"""The words of the interface, and `make messages`: bring the catalogs in line with them.

Django's own makemessages wants GNU gettext on the machine; this reads the same words with Babel.
"""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import polib
from babel.messages.extract import extract
from django.utils.translation.template import templatize
from pydantic.fields import FieldInfo

from apps.integrations.registry import INTEGRATIONS
from apps.rules.acquisition import NO_MODEL, STRATEGIES, UNINSTALLED, UNSCORED
from apps.rules.answers import ANSWER_KINDS
from apps.rules.encoders import ENCODERS
from apps.rules.gates import GATES
from apps.rules.monitors import MONITORS
from apps.rules.rollouts.metrics import METRICS
from apps.rules.webhooks import WEBHOOK_FORMATS
from apps.sources.parsing import SHAPES
from fastloop_console.machine.env import ROOT

CATALOG = ROOT / "locale/es/LC_MESSAGES/django.po"
SCRIPT_CATALOG = CATALOG.with_name("djangojs.po")  # what scripts say; a browser loads all of it
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted((ROOT / "static").rglob("*.js"))
KEYWORDS = {
    "gettext": None,
    "gettext_lazy": None,
    "_": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "sentence": None,  # what apps/rules/sentences.py keeps in English
    "term": None,
}


def words_of_rules() -> list[str]:
    """What pure Python keeps in English; whoever shows it translates it first."""
    titles: list[str] = [
        each.title
        for registry in (STRATEGIES, GATES, MONITORS, METRICS, ANSWER_KINDS, INTEGRATIONS, ENCODERS, WEBHOOK_FORMATS)
        for each in registry.own
    ]
    typed = [*GATES.own, *MONITORS.own]
    settings = [field for each in typed for field in each.parameters.model_fields.values()]
    first_titles = [gate.first_title for gate in GATES.own if gate.first_title]
    return [
        NO_MODEL,
        UNSCORED,
        UNINSTALLED,
        *(s.sentence for s in STRATEGIES.own),
        *titles,
        *first_titles,
        *SHAPES,
        *_words_of(settings),
    ]


def _words_of(settings: list[FieldInfo]) -> list[str]:
    """What a form says of them."""
    words = [word for each in settings for word in (each.title, each.description) if word]
    extras = [each.json_schema_extra for each in settings if isinstance(each.json_schema_extra, dict)]
    return words + [str(word) for extra in extras for word in dict(extra.get("words", {})).values()]  # type: ignore[call-overload]


def _messages(language: str, source: str) -> Iterator[tuple[str, str]]:
    for _, message, _, _ in extract(language, BytesIO(source.encode()), keywords=KEYWORDS):
        one, many = (message[0], message[1]) if isinstance(message, tuple) else (message, "")
        if one:
            yield one, many


def _python_of(path: Path) -> str:
    text = path.read_text()
    if path.suffix == ".py":
        return text
    return "\n".join(map(str.lstrip, templatize(text, origin=str(path)).split("\n")))


def extracted() -> dict[str, str]:
    """Every msgid of templates and code with its plural, which is empty where there is none."""
    found: dict[str, str] = dict.fromkeys(words_of_rules(), "")
    code = [p for folder in ("apps", "fastloop_console", "workers") for p in sorted((ROOT / folder).rglob("*.py"))]
    for path in [*TEMPLATES, *code]:
        for one, many in _messages("python", _python_of(path)):
            found[one] = many or found.get(one, "")
    return found


def extracted_from_scripts() -> dict[str, str]:
    """The same of what scripts say."""
    return dict(pair for path in SCRIPTS for pair in _messages("javascript", path.read_text()))


def _align(path: Path, words: dict[str, str]) -> None:
    """New words come without a translation, gone ones leave, and what is translated is compiled."""
    catalog = polib.pofile(str(path))
    known = {e.msgid: e for e in catalog}
    for msgid, entry in known.items():
        if msgid not in words:
            catalog.remove(entry)
    for msgid, plural in words.items():
        if msgid not in known:
            more = {"msgid_plural": plural, "msgstr_plural": {0: "", 1: ""}} if plural else {}
            catalog.append(polib.POEntry(msgid=msgid, **more))
    catalog.sort(key=lambda e: e.msgid)
    catalog.save(str(path))
    catalog.save_as_mofile(str(path.with_suffix(".mo")))
    print(f"{path.stem}: {len(words):,} words, {len(catalog.untranslated_entries()):,} of them without a translation")


def main() -> None:
    _align(CATALOG, extracted())
    _align(SCRIPT_CATALOG, extracted_from_scripts())


if __name__ == "__main__":
    main()
