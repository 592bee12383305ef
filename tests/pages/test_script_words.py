"""The catalog of words that scripts say: in the reader's language, before any script, kept by the browser."""

import re

from django.test import Client

from apps.accounts.models import User
from apps.projects.models import Project
from tests.architecture.words import extracted_from_scripts

ADDRESS = re.compile(r'<script src="(/words/[^"]+)" defer></script>')


def words_of(client: Client, page: str) -> str:
    found = ADDRESS.search(client.get(page).text)
    assert found is not None, page
    return found.group(1)


def test_somebody_signed_out_gets_the_words_before_any_script_that_says_them(client: Client, db: None) -> None:
    page = client.get("/accounts/sign-in/").text
    address = words_of(client, "/accounts/sign-in/")
    assert page.index(address) < page.index("console.js")
    answer = client.get(address)
    assert answer.status_code == 200 and answer["Content-Type"] == "text/javascript; charset=utf-8"
    assert "django.ngettext = function" in answer.text


def test_whoever_reads_spanish_gets_spanish_words_with_their_plurals(as_, project: Project, ada: User) -> None:
    browser = as_(ada)
    browser.post("/language/", {"language": "es"})
    script = browser.get(words_of(browser, f"/projects/{project.pk}/label/")).text
    assert '"All answers saved": "Todas las respuestas guardadas"' in script
    assert re.search(r'"1 answer": \[\s+"1 respuesta",\s+"%\(n\)s respuestas"', script)
    assert "(n != 1)" in script


def test_nothing_but_the_words_of_our_scripts_is_carried(client: Client, db: None) -> None:
    client.post("/language/", {"language": "es"})
    script = client.get(words_of(client, "/accounts/sign-in/")).text
    carried = re.findall(r'^    "((?:[^"\\]|\\.)+)": (?=["\[])', script, flags=re.M)
    formats = [name for name in carried if re.fullmatch(r"[A-Z_]+", name)]
    assert len(carried) - len(formats) == len(extracted_from_scripts())


def test_words_are_kept_by_the_browser_until_they_change(client: Client, db: None) -> None:
    address = words_of(client, "/accounts/sign-in/")
    kept = client.get(address)["Cache-Control"]
    assert "immutable" in kept and "max-age=31536000" in kept
    older = re.sub(r"[0-9a-f]{12}", "0" * 12, address)
    assert client.get(older)["Cache-Control"] == "no-cache"


def test_a_language_that_the_console_does_not_speak_has_no_words(client: Client, db: None) -> None:
    assert client.get("/words/fr/000000000000.js").status_code == 404
