"""Rows of a policy whose parts have types, as gates and monitors do: sent, added and left out in one way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext
from pydantic import BaseModel

from apps.projects.policies.parameters import parameters_bound


class PartType(Protocol):
    """What a row may be of: a gate, a monitor."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def parameters(self) -> type[BaseModel]: ...


T = TypeVar("T", bound=PartType)


@dataclass
class TypedRow(Generic[T]):
    """One part of the form. `index` tells its fields from those of others; `fault` is what the policy says against it."""

    index: str
    type: T
    form: forms.Form
    fault: str = ""

    @property
    def title(self) -> str:
        return gettext(self.type.title)

    @property
    def parameters(self) -> list[forms.BoundField]:
        return parameters_bound(self.form)

    @property
    def required(self) -> bool:
        """Whether it may not be left out."""
        return False

    def is_valid(self) -> bool:
        return self.form.is_valid()


R = TypeVar("R", bound=TypedRow[Any])


@dataclass(frozen=True)
class TypedRows(Generic[T, R]):
    """`name` is the field that lists the rows in their order, `sent` makes one of what came, `new` an empty one of a type."""

    name: str
    most: int
    types: Mapping[str, T]
    sent: Callable[[str, T, QueryDict], R]
    new: Callable[[T], R]

    def edited(self, post: QueryDict) -> tuple[list[R], bool]:
        """The rows, and whether a button of theirs was pressed: adding or leaving out shows the form again and sets nothing.

        A type that is not there any more is left out.
        """
        rows = [
            self.sent(index, found, post)
            for index in post.getlist(self.name)[: 2 * self.most]
            if (found := self.types.get(post.get(f"{index}-type", ""))) is not None
        ]
        if "add" in post:
            added = self.types.get(post.get("add_type", ""))
            return [*rows, *([self.new(added)] if added is not None else [])], True
        gone = post.get("remove", "")
        return [row for row in rows if row.index != gone], bool(gone)
