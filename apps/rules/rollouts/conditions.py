"""`successCondition` and `failureCondition` as Argo Rollouts writes them: `result >= 0.95 * stable && canary < 0.1`.

Python's own parser reads them; what is more than numbers, the three names, arithmetic and comparison is refused.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from apps.rules.sentences import sentence

NAMES = ("result", "canary", "stable")  # result is the canary's figure; the others are the arms'
MOST = 200  # characters
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARISON: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


class ConditionRefused(ValueError):
    """The condition cannot be read; the sentence says where it goes wrong."""


def is_met(condition: str, values: Mapping[str, float]) -> bool:
    """Raises ConditionRefused. A division by zero meets nothing.

    >>> is_met("result >= 0.95 * stable", {"result": 0.048, "canary": 0.048, "stable": 0.05})
    True
    """
    try:
        return bool(_value(_parsed(condition), values))
    except ZeroDivisionError:
        return False


@lru_cache(maxsize=256)
def _parsed(condition: str) -> ast.expr:
    if len(condition) > MOST:
        raise ConditionRefused(sentence("A condition has at most {most} characters.", most=MOST))
    try:
        tree = ast.parse(condition.replace("&&", " and ").replace("||", " or ").strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ConditionRefused(
            sentence("“{condition}” is no condition, like “result >= 0.95 * stable”.", condition=condition)
        ) from None
    if not isinstance(tree, ast.Compare | ast.BoolOp):
        raise ConditionRefused(
            sentence("“{condition}” compares nothing, as “result >= 0.95” does.", condition=condition)
        )
    _refuse_strange(tree)
    return tree


def _refuse_strange(tree: ast.expr) -> None:
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) if name not in NAMES:
                raise ConditionRefused(
                    sentence("“{name}” is not known in a condition; {known} are.", name=name, known=", ".join(NAMES))
                )
            case ast.Constant(value=value) if type(value) not in (int, float):
                raise ConditionRefused(sentence("A condition holds numbers, not {value}.", value=repr(value)))
            case ast.BinOp(op=op) if type(op) not in _ARITHMETIC:
                raise ConditionRefused(sentence("A condition reckons with +, -, * and / only."))
            case ast.Compare(ops=ops) if any(type(op) not in _COMPARISON for op in ops):
                raise ConditionRefused(sentence("A condition compares with <, <=, >, >=, == and != only."))
            case ast.UnaryOp(op=op) if not isinstance(op, ast.USub):
                raise ConditionRefused(sentence("A condition has no sign but the minus of a number."))
            case (
                ast.Name() | ast.Constant() | ast.BinOp() | ast.Compare() | ast.BoolOp() | ast.UnaryOp() | ast.Load()
                | ast.operator() | ast.cmpop() | ast.boolop() | ast.unaryop()
            ):  # fmt: skip
                continue
            case _:
                raise ConditionRefused(
                    sentence("A condition has numbers, names, arithmetic and comparisons, and nothing else.")
                )


def _value(node: ast.expr, values: Mapping[str, float]) -> Any:
    match node:
        case ast.BoolOp(op=ast.And(), values=parts):
            return all(_value(part, values) for part in parts)
        case ast.BoolOp(values=parts):
            return any(_value(part, values) for part in parts)
        case ast.Compare(left=left, ops=ops, comparators=others):
            sides = [_value(side, values) for side in (left, *others)]
            return all(_COMPARISON[type(op)](a, b) for op, a, b in zip(ops, sides, sides[1:], strict=False))
        case ast.BinOp(left=left, op=op, right=right):
            return _ARITHMETIC[type(op)](_value(left, values), _value(right, values))
        case ast.UnaryOp(operand=operand):
            return -_value(operand, values)
        case ast.Name(id=name):
            return values[name]
        case ast.Constant(value=value):
            return value
    raise ConditionRefused(sentence("A condition has numbers, names, arithmetic and comparisons, and nothing else."))
