"""What versioned policies share: parts that refuse unknown keys, YAML without tricks, and one sentence for what is wrong."""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from apps.rules.sentences import Sentence, clause, joined, sentence, term, words_of
from apps.rules.words import count

MOST_TEXT = 20_000  # characters of YAML
P = TypeVar("P", bound="PolicyPart")


class PolicyRefused(ValueError):
    """The policy cannot be used; the sentence says where and why. `at` is the way to the fault: ("gates", 2, "type")."""

    def __init__(self, words: str, at: tuple[int | str, ...] = ()) -> None:
        super().__init__(words)
        self.at = at


class PolicyPart(BaseModel):
    """Unknown keys are refused: a misspelled limit would be no limit. So is what is no number."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True, allow_inf_nan=False
    )


class VersionedPolicy(PolicyPart):
    """The whole of one."""

    def written(self) -> dict[str, Any]:
        """As a person would write it: only what was said."""
        return cast(dict[str, Any], _plain(self.model_dump(mode="json", by_alias=True, exclude_unset=True)))


def _plain(value: Any) -> Any:
    """10 and not 10.0, as people write it."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def policy_checked(kind: type[P], given: Any, *, example: str) -> P:
    """`example` is said to whoever sends no mapping. Raises PolicyRefused."""
    try:
        return kind.model_validate(given)
    except ValidationError as fault:
        first, more = _first(fault)
        where, why = ", ".join(_place(first["loc"])), clause(_why(first, example))
        words = (
            sentence("The policy cannot be used ({place}): {why}.", place=where, why=why)
            if where
            else sentence("The policy cannot be used: {why}.", why=why)
        )
        after = [sentence("{more} after it.", more=count(more, "more fault"))] if more else []
        raise PolicyRefused(joined([words, *after]), first["loc"]) from None
    except RecursionError:
        raise PolicyRefused(sentence("The policy is nested too deep.")) from None


def fault_of(fault: ValidationError) -> str:
    """The first fault alone, with its place before it; for parts that are checked apart."""
    first, _ = _first(fault)
    where = ", ".join(_place(first["loc"]))
    why = _why(first, "")
    return sentence("{place}: {why}", place=where, why=why) if where else why


def yaml_read(text: str) -> Any:
    """Raises PolicyRefused; also for aliases, by which a small file becomes a huge one."""
    if len(text) > MOST_TEXT:
        raise PolicyRefused(sentence("The policy has more than {most:,} characters.", most=MOST_TEXT))
    try:
        return yaml.load(text, Loader=PlainLoader)
    except yaml.YAMLError as fault:
        mark, problem = getattr(fault, "problem_mark", None), getattr(fault, "problem", None) or str(fault)
        words = (
            sentence("The YAML cannot be read in line {line}: {fault}.", line=mark.line + 1, fault=problem)
            if mark
            else sentence("The YAML cannot be read: {fault}.", fault=problem)
        )
        raise PolicyRefused(words) from None
    except (RecursionError, ValueError) as fault:
        raise PolicyRefused(sentence("The YAML cannot be read: {fault}.", fault=fault)) from None


class PlainLoader(yaml.SafeLoader):
    """No aliases, and no key twice."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            at = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, term("aliases (*name) are not taken"), at)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        names = [key.value for key, _ in node.value]
        twice = next((name for name in names if isinstance(name, str) and names.count(name) > 1), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(
                None, None, sentence("“{name}” stands twice", name=twice), node.start_mark
            )
        return super().construct_mapping(node, deep)


def _first(fault: ValidationError) -> tuple[Any, int]:
    """The first fault, and how many come after it; a step that is refused is also one too few."""
    faults = fault.errors(include_url=False)
    first, *rest = [f for f in faults if f["type"] != "too_short"] or faults
    return first, len(rest)


def _place(loc: tuple[int | str, ...]) -> Iterator[str]:
    """“steps 2, analysis, metrics 1, count”."""
    for part, after in zip(loc, (*loc[1:], ""), strict=False):
        if isinstance(part, str):
            yield f"{part} {after + 1}" if isinstance(after, int) else part


def _why(fault: Any, example: str) -> str:
    """Ours in its own words, pydantic's commonest in ours, else as pydantic says it."""
    about = dict(fault.get("ctx", {}))
    if isinstance(about.get("error"), ValueError):
        return _first_small(words_of(about["error"]))
    say = _WHY.get(fault["type"])
    if say is None:
        return _first_small(fault["msg"])
    return say({**_plain(about), "key": fault["loc"][-1] if fault["loc"] else "", "example": example})


def _first_small(message: str) -> str:
    if isinstance(message, Sentence):
        return message
    return message[:1].lower() + message[1:] if message[:2] != message[:2].upper() else message


_WHY: dict[str, Callable[[dict[str, Any]], str]] = {
    "model_type": lambda f: sentence("it is a mapping, like “{example}”", example=f["example"]),
    "extra_forbidden": lambda f: sentence("“{key}” is not known here", key=f["key"]),
    "missing": lambda f: sentence("“{key}” is missing", key=f["key"]),
    "too_short": lambda f: sentence("it has at least {n}", n=f["min_length"]),
    "too_long": lambda f: sentence("it has at most {n}", n=f["max_length"]),
    "greater_than_equal": lambda f: sentence("it is at least {n}", n=f["ge"]),
    "less_than_equal": lambda f: sentence("it is at most {n}", n=f["le"]),
    "greater_than": lambda f: sentence("it is more than {n}", n=f["gt"]),
    "less_than": lambda f: sentence("it is less than {n}", n=f["lt"]),
    **dict.fromkeys(("float_parsing", "float_type"), lambda _: sentence("it is a number")),
    **dict.fromkeys(("int_parsing", "int_type", "int_from_float"), lambda _: sentence("it is a whole number")),
    **dict.fromkeys(("bool_parsing", "bool_type"), lambda _: sentence("it is true or false")),
    **dict.fromkeys(("list_type", "tuple_type"), lambda _: sentence("it is a list")),
    "finite_number": lambda _: sentence("it is a finite number"),
    "dict_type": lambda _: sentence("it is a mapping"),
    "string_type": lambda _: sentence("it is text"),
    **dict.fromkeys(
        ("enum", "literal_error"),
        lambda f: sentence("it is one of {known}", known=str(f["expected"]).replace(" or ", ", ")),
    ),
}
