"""Views of the table of examples that people keep by name: an address with its filters, order and columns."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.datasets.listing import ListingAsked, examples_listed, label_called
from apps.datasets.models import SavedView
from apps.errors import Invalid
from apps.pages.sentences import refusal
from apps.projects.models import Project
from apps.rules.values import ValueRefused, name_of

MOST = 50  # of one person in a project


def views_for(project: Project, person: User) -> list[SavedView]:
    """The person's own and those that others share, by name, each with its `address` as labels are called today."""
    mine = Q(by=person) | Q(shared=True)
    found = list(SavedView.objects.filter(mine, project=project).select_related("label").order_by("name", "pk"))
    for view in found:
        view.address = address_of(view)
    return found


def view_members(project: Project, name: str, example_ids: Collection[int]) -> set[int] | None:
    """Which of these examples a shared view of this name holds now; None where nobody shares one."""
    view = SavedView.objects.filter(project=project, shared=True, name=name).select_related("label").first()
    if view is None:
        return None
    asked = ListingAsked(QueryDict(address_of(view)))
    return set(examples_listed(project, asked).filter(pk__in=example_ids).order_by().values_list("pk", flat=True))


def address_of(view: SavedView) -> str:
    kept = QueryDict(view.query, mutable=True)
    if view.label is not None:
        kept["label"] = view.label.name
    return ListingAsked(kept).address


@transaction.atomic
def view_save(*, project: Project, name: str, query: str, shared: bool, by: User, at: datetime) -> SavedView:
    """The same name again replaces what the person kept under it. Only what the table understands is kept."""
    try:
        name = name_of(name, _("The view’s name"))
    except ValueRefused as refused:
        raise Invalid(refusal(refused), field="name") from refused
    asked = QueryDict(ListingAsked(QueryDict(query[:4000])).address, mutable=True)
    label = label_called(project, asked.get("label", ""))
    if label is not None:
        del asked["label"]
    own = SavedView.objects.filter(project=project, by=by)
    if own.exclude(name=name).count() >= MOST:
        raise Invalid(_("You keep {n} views here already. Remove one first.").format(n=MOST), field="name")
    defaults = {"query": asked.urlencode(), "label": label, "shared": shared, "at": at}
    view, _made = SavedView.objects.update_or_create(project=project, by=by, name=name, defaults=defaults)
    view.address = address_of(view)
    return view


@transaction.atomic
def view_remove(*, project: Project, view_id: int, by: User) -> None:
    """One's own; anybody else's stays."""
    SavedView.objects.filter(project=project, by=by, pk=view_id).delete()
