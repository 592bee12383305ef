"""No word of the interface escapes the catalog, and the catalog is whole: English in the code, Spanish beside it."""

import ast
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import polib
import pytest
from babel.messages import jslexer
from django.template.base import Lexer, TokenType
from django.utils.translation import override

from fastloop_console.machine.env import ROOT
from tests.architecture.words import CATALOG, SCRIPT_CATALOG, SCRIPTS, TEMPLATES, extracted, extracted_from_scripts

WORD = re.compile(r"[A-Za-z]{2,}")
HOLE = re.compile(r"%\([A-Za-z_0-9]+\)[sd]|\{[^}]*\}|%%")
NAMES = {"FastLoop", "FastLoop Console", "Dawid-Skene", "ms", "API"}  # the same in every language
NO_WORDS = re.compile(  # names for styles and sockets, and what stands in a shell
    r"{% block (?:body_class|topic) %}.*?{% endblock %}|{% call_to_copy %}.*?{% endcall_to_copy %}", re.DOTALL
)
SAID_ATTRIBUTES = {"aria-label", "title", "placeholder", "alt"}
SILENT = {"script", "style", "code", "pre", "kbd"}
# Their words are for scripts and records, or are the API's, whose language is English.
UNSEEN = ("rules", "loop/management", "loop/simulation", "loop/demo.py", "integrations", "live")
CALL = re.compile(r'\bn?gettext\(\s*"((?:[^"\\]|\\.)*)"')  # in a script
SENTENCE = re.compile(r"[“A-Z][\w’“”,;:]* [\w ’“”,;:.%()-]*$")  # no selector looks so
SHOWN = [["textContent", "="], ["title", "="]]  # what stands before a string that people read
SPEAKERS = {"toast", "tell", "speak", "setAttribute", "append"}
SILENT_CALLS = {"gettext", "ngettext", "Error"}
REFUSALS = {"DomainError", "Invalid", "Forbidden", "NotFound"}


class Shown(HTMLParser):
    """The text and the spoken attributes of a template, what goes through gettext taken out."""

    def __init__(self) -> None:
        super().__init__()
        self.inside: list[str] = []
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in SILENT:
            self.inside.append(tag)
        self.found += [value or "" for name, value in attributes if name in SAID_ATTRIBUTES]

    def handle_endtag(self, tag: str) -> None:
        if tag in self.inside:
            self.inside.remove(tag)

    def handle_data(self, text: str) -> None:
        if not self.inside:
            self.found.append(text)


def escaped_in(template: str) -> list[str]:
    """Words of a template that no gettext sees."""
    shown, within, titles = "", False, []
    for token in Lexer(re.sub(NO_WORDS, "", template)).tokenize():
        name = token.contents.split(" ")[0] if token.token_type == TokenType.BLOCK else ""
        within = name == "blocktranslate" or (within and name != "endblocktranslate")
        if token.token_type == TokenType.TEXT and not within:
            shown += token.contents
        elif token.token_type != TokenType.TEXT and name != "endblocktranslate":
            shown += "\N{OBJECT REPLACEMENT CHARACTER}"
        if name in ("stat", "void"):
            titles += re.findall(r'(?<![_(=])"([A-Z][^"]*)"', token.contents)
    parser = Shown()
    parser.feed(re.sub(r"<!doctype[^>]*>", "", shown))
    found = (x.replace("\N{OBJECT REPLACEMENT CHARACTER}", " ").strip() for x in [*parser.found, *titles])
    return [x for x in found if WORD.search(x) and x not in NAMES]


def test_the_walk_finds_words_that_escape() -> None:
    assert escaped_in('<p class="x">{% translate "Save" %} now</p><b title="More">{{ n }}</b>') == ["More", "now"] or (
        escaped_in('<p class="x">{% translate "Save" %} now</p><b title="More">{{ n }}</b>') == ["now", "More"]
    )
    assert escaped_in('{% stat _("Yes") %}1{% endstat %}{% void "ok" "No" %}{% endvoid %}') == ["No"]
    assert escaped_in("{% blocktranslate %}All {{ n }}{% endblocktranslate %}<kbd>Esc</kbd>") == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_word_of_a_template_escapes_gettext(template: Path) -> None:
    assert escaped_in(template.read_text()) == []


def test_no_constant_of_a_tag_holds_a_percent_sign() -> None:
    """Django doubles it there and never halves it: `{% translate "..." as name %}` says it right."""
    wrong = [str(p.relative_to(ROOT)) for p in TEMPLATES if re.search(r'_\("[^"]*%[^"]*"\)', p.read_text())]
    assert wrong == []


def modules() -> list[Path]:
    found = [p for p in (ROOT / "apps").rglob("*.py") if "migrations" not in p.parts]
    return [p for p in found if not str(p.relative_to(ROOT / "apps")).startswith(UNSEEN)]


def refusal_names(trees: dict[Path, ast.Module]) -> set[str]:
    """DomainError and all that derive from it, by name."""
    classes = [n for tree in trees.values() for n in ast.walk(tree) if isinstance(n, ast.ClassDef)]
    names, before = set(REFUSALS), 0
    while len(names) > before:
        before = len(names)
        names |= {c.name for c in classes if {getattr(b, "id", "") for b in c.bases} & names}
    return names


def bare(node: ast.expr) -> bool:
    """Whether this is a literal with words in it."""
    if isinstance(node, ast.IfExp):
        return bare(node.body) or bare(node.orelse)
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    return any(isinstance(p, ast.Constant) and isinstance(p.value, str) and WORD.search(p.value) for p in parts)


def said(node: ast.AST, refusals: set[str]) -> ast.expr | None:
    """What a person will read of this call or choice, if anything."""
    if isinstance(node, ast.Call):
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        owner = getattr(getattr(node.func, "value", None), "id", "")
        if owner == "messages" and len(node.args) > 1:
            return node.args[1]
        if name in refusals | {"ValidationError"} and node.args:
            return node.args[0]
    if isinstance(node, ast.ClassDef) and any("Choices" in ast.unparse(b) for b in node.bases):
        for line in node.body:
            if isinstance(line, ast.Assign) and isinstance(line.value, ast.Tuple) and bare(line.value.elts[1]):
                return line.value.elts[1]
    return None


def test_no_refusal_message_or_choice_escapes_gettext() -> None:
    trees = {p: ast.parse(p.read_text()) for p in modules()}
    refusals = refusal_names(trees)
    assert "CannotUndo" in refusals, "the walk does not see the refusals"
    escaped = [
        f"{path.relative_to(ROOT)}:{words.lineno}"
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if (words := said(node, refusals)) is not None and bare(words)
    ]
    assert escaped == []


CATALOGS = [
    pytest.param(CATALOG, extracted, 1000, id="pages"),
    pytest.param(SCRIPT_CATALOG, extracted_from_scripts, 100, id="scripts"),
]
Words = Callable[[], dict[str, str]]


@pytest.mark.parametrize(("path", "read", "least"), CATALOGS)
def test_every_word_has_its_spanish(path: Path, read: Words, least: int) -> None:
    catalog = polib.pofile(str(path))
    known = {e.msgid: e for e in catalog if not e.obsolete}
    words = read()
    assert len(words) > least, "the walk does not see the words"
    assert sorted(set(words) ^ set(known)) == [], "run `make messages` and translate what is new"
    lacking = [m for m in words if not known[m].translated() or "fuzzy" in known[m].flags]
    assert sorted(lacking) == []
    assert {m: known[m].msgid_plural for m, many in words.items() if many} == {m: p for m, p in words.items() if p}


@pytest.mark.parametrize(("path", "read", "least"), CATALOGS)
def test_a_translation_fills_the_same_holes(path: Path, read: Words, least: int) -> None:
    wrong = []
    for entry in polib.pofile(str(path)):
        holes = set(HOLE.findall(entry.msgid)) | set(HOLE.findall(entry.msgid_plural or ""))
        forms = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
        if any(not set(HOLE.findall(form)) <= holes for form in forms) or (
            not entry.msgid_plural and entry.msgstr and set(HOLE.findall(entry.msgstr)) != holes
        ):
            wrong.append(entry.msgid)
    assert wrong == []


@pytest.mark.parametrize(("path", "read", "least"), CATALOGS)
def test_the_compiled_catalog_is_that_of_the_words(path: Path, read: Words, least: int) -> None:
    compiled = {e.msgid: (e.msgstr, e.msgstr_plural) for e in polib.mofile(str(path.with_suffix(".mo")))}
    written = {
        e.msgid: (e.msgstr, e.msgstr_plural) for e in polib.pofile(str(path)) if e.translated() and not e.obsolete
    }
    assert compiled == written, "run `make messages`"


def test_the_walk_sees_every_word_of_the_scripts() -> None:
    """Babel's lexer is blind within `${...}`; a word in there would never be translated."""
    words = extracted_from_scripts()
    assert [m for path in SCRIPTS for m in re.findall(CALL, path.read_text()) if m not in words] == []


def escaped_in_script(source: str) -> list[str]:
    """What a script says to people without gettext: whole sentences, and whatever it puts where people read."""
    found: list[str] = []
    before: list[str] = []  # the tokens so far, a closed call's own left out
    for token in jslexer.tokenize(source, dotted=False):
        if token.type in ("string", "template_string"):
            text = re.sub(r"\$\{[^}]*\}", "", token.value[1:-1])
            called = next((before[i - 1] for i in range(len(before) - 1, 0, -1) if before[i] == "("), "")
            shown = before[-2:] in SHOWN or (called in SPEAKERS and WORD.search(text) and " " in text)
            if called not in SILENT_CALLS and ((shown and WORD.search(text)) or SENTENCE.match(text)):
                found.append(text)
        if token.value == ")" and "(" in before:
            del before[len(before) - 1 - before[::-1].index("(") :]
        before.append(token.value)
    return found


def test_the_walk_finds_words_of_scripts_that_escape() -> None:
    assert escaped_in_script('toast("warn", "not sent");') == ["not sent"]
    assert escaped_in_script('const way = away ? "It is away now." : $("#a b");') == ["It is away now."]
    assert escaped_in_script('box.textContent = "gone"; tell(say(gettext("It is %(n)s."), { n }));') == ["gone"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_word_of_a_script_escapes_gettext(script: Path) -> None:
    assert escaped_in_script(script.read_text()) == []


def test_a_page_is_spanish_for_whoever_chose_it(client, as_, project, ada) -> None:
    browser = as_(ada)
    page = f"/projects/{project.pk}/label/"
    with override("en"):  # a request leaves its language behind, and the tests after this one read English
        assert 'lang="en"' in browser.get(page).content.decode()
        answer = browser.post("/language/", {"language": "es", "next": page})
        assert (answer.status_code, answer["Location"]) == (302, page)
        shown = browser.get(page).content.decode()
    assert 'lang="es"' in shown and "Guía" in shown
    assert "Guidelines" not in re.sub(r"<script.*?</script>", "", shown, flags=re.S)
