"""The forms of a source: setting one up, changing it, and where to read it again from."""

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.pages.sentences import refusal
from apps.rules.values import ValueRefused
from apps.sources.events import EVENT_KINDS
from apps.sources.kinds import SOURCE_KINDS
from apps.sources.models import Source
from apps.sources.services import MOST_NAME


class SourceForm(forms.Form):
    name = forms.CharField(max_length=MOST_NAME, label=_("Name"))
    kind = forms.ChoiceField(
        label=_("Kind of source"), choices=lambda: [(k.name, k.title) for k in SOURCE_KINDS.values() if not k.lacks()]
    )
    stream = forms.CharField(
        max_length=249,
        label=_("Stream"),
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off", "autocapitalize": "none"}),
    )
    partitions = forms.IntegerField(min_value=1, max_value=16, initial=1, required=False, label=_("Partitions"))
    format = forms.ChoiceField(
        required=False, label=_("Format"), choices=[("json", "JSON"), ("avro", _("Avro, by a schema registry"))]
    )
    events = forms.ChoiceField(
        label=_("What events are"), choices=lambda: [(k.name, k.title) for k in EVENT_KINDS.values()]
    )
    mapping = forms.CharField(
        required=False,
        label=_("Mapping"),
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "class": "mono"}),
    )

    @staticmethod
    def of(source: Source) -> dict[str, Any]:
        """What the fields begin with."""
        return {
            "name": source.name,
            "kind": source.kind,
            "events": source.events,
            "mapping": "\n".join(f"{name}: {path}" for name, path in source.mapping.items()),
            **source.place,
        }

    def __init__(self, *given: Any, **more: Any) -> None:
        """What only some kinds ask for is asked where there is such a kind."""
        super().__init__(*given, **more)
        kind = self.initial.get("kind")
        offered = [kind] if kind else [k.name for k in SOURCE_KINDS.values() if not k.lacks()]
        if len(offered) == 1:
            self.fields["kind"].widget = forms.HiddenInput()
            self.initial["kind"] = offered[0]
        for name, of in (("format", "kafka"), ("partitions", "redis-stream")):
            if of not in offered:
                del self.fields[name]
        if "format" in self.fields:
            self.fields["stream"].label = _("Topic") if kind else _("Stream or topic")

    def clean_mapping(self) -> dict[str, str]:
        return mapping_read(self.cleaned_data["mapping"])

    def clean(self) -> dict[str, Any]:
        """What is wrong with the place is said beside what is wrong with the rest, and not only once that is mended."""
        said = self.cleaned_data
        if "stream" in said and said.get("kind") in SOURCE_KINDS:
            try:
                said["place"] = SOURCE_KINDS[said["kind"]].place(said)
            except ValueRefused as refused:
                self.add_error("stream", refusal(refused))
        return said

    def given(self) -> dict[str, Any]:
        """As the services take it."""
        return {name: self.cleaned_data[name] for name in ("name", "place", "mapping")}


def mapping_read(text: str) -> dict[str, str]:
    """Lines of `name: path`. Raises ValidationError."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        name, colon, path = line.partition(":")
        if not colon or not name.strip() or not path.strip() or name.strip() in found:
            words = gettext("Line {n} of the mapping is not “name: path”, or says a name again.")
            raise forms.ValidationError(words.format(n=number))
        found[name.strip()] = path.strip()
    return found


class ReplayForm(forms.Form):
    since = forms.CharField(max_length=60, label=_("From"))
