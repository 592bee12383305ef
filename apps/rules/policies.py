"""What versioned policies share: parts that refuse unknown keys, YAML without tricks, and one sentence for what is wrong."""

from collections.abc import Iterator
from typing import Any, TypeVar, cast

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

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
        where = ", ".join(_place(first["loc"]))
        after = f" {count(more, 'more fault')} after it." if more else ""
        place = f" ({where})" if where else ""
        raise PolicyRefused(
            f"The policy cannot be used{place}: {_why(first, example).rstrip('.')}.{after}", first["loc"]
        ) from None
    except RecursionError as fault:
        raise PolicyRefused(str(fault)) from None


def fault_of(fault: ValidationError) -> str:
    """The first fault alone, with its place before it; for parts that are checked apart."""
    first, _ = _first(fault)
    where = ", ".join(_place(first["loc"]))
    return f"{where}: {_why(first, '')}" if where else _why(first, "")


def yaml_read(text: str) -> Any:
    """Raises PolicyRefused; also for aliases, by which a small file becomes a huge one."""
    if len(text) > MOST_TEXT:
        raise PolicyRefused(f"The policy has more than {MOST_TEXT:,} characters.")
    try:
        return yaml.load(text, Loader=PlainLoader)
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise PolicyRefused(f"The YAML cannot be read{where}: {getattr(fault, 'problem', None) or fault}.") from None
    except (RecursionError, ValueError) as fault:
        raise PolicyRefused(f"The YAML cannot be read: {fault}.") from None


class PlainLoader(yaml.SafeLoader):
    """No aliases, and no key twice."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            at = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not taken", at)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        names = [key.value for key, _ in node.value]
        twice = next((name for name in names if isinstance(name, str) and names.count(name) > 1), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(None, None, f"“{twice}” stands twice", node.start_mark)
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
    key = fault["loc"][-1] if fault["loc"] else ""
    pattern = _WHY.get(fault["type"], "{msg}")
    return pattern.format(key=key, msg=_first_small(fault["msg"]), example=example, **_plain(fault.get("ctx", {})))


def _first_small(message: str) -> str:
    plain = message.removeprefix("Value error, ")
    return plain[:1].lower() + plain[1:] if plain[:2] != plain[:2].upper() else plain


_WHY = {
    "model_type": "it is a mapping, like “{example}”",
    "extra_forbidden": "“{key}” is not known here",
    "missing": "“{key}” is missing",
    "too_short": "it has at least {min_length}",
    "too_long": "it has at most {max_length}",
    "greater_than_equal": "it is at least {ge}",
    "less_than_equal": "it is at most {le}",
    "greater_than": "it is more than {gt}",
    "less_than": "it is less than {lt}",
}
