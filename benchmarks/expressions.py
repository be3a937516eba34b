"""DynamoDB's expression language, as much of it as legacy and the pipeline write; anything else is an error.

    condition   attribute_not_exists(a) OR (attribute_exists(d) AND b = :x AND c < :y)
    update      ADD a :x, b :y SET c = :z, d = if_not_exists(d, :z) + :x

Texts are parsed once and kept, since a benchmark evaluates the same few of them very often.
"""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Value = Mapping[str, str]
    Item = Mapping[str, Value]
    Operand = Callable[["Scope"], Value | None]
    Condition = Callable[["Scope"], bool]
    Assignment = Callable[["Scope"], tuple[str, Value]]

_TOKEN: Final = re.compile(r"\s*(<=|>=|<>|[#:]?\w+|[()=<>,+])")
_COMPARISONS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression is evaluated against: the stored item and the request's names and values."""

    item: Item
    names: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Value] = field(default_factory=dict)

    def attribute(self, path: str) -> str:
        """Resolve an attribute's name."""
        return self.names[path] if path.startswith("#") else path


def holds(expression: str, scope: Scope) -> bool:
    """Evaluate a condition."""
    return _condition(expression)(scope)


def updated(expression: str, scope: Scope) -> dict[str, Value]:
    """Evaluate an update: the item as it is afterwards. Every operand sees the item as it was before."""
    return {**scope.item, **dict(assign(scope) for assign in _update(expression))}


@cache
def _condition(expression: str) -> Condition:
    parser = _Parser(expression)
    condition = parser.disjunction()
    parser.expect_end()
    return condition


@cache
def _update(expression: str) -> tuple[Assignment, ...]:
    parser = _Parser(expression)
    assignments = tuple(parser.assignments())
    parser.expect_end()
    return assignments


class _Parser:
    def __init__(self, expression: str) -> None:
        self.tokens = _TOKEN.findall(expression)
        if "".join(self.tokens) != re.sub(r"\s", "", expression):
            raise NotImplementedError(expression)
        self.position = 0

    def peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def take(self, *allowed: str) -> str:
        token = self.peek()
        if not token or (allowed and token not in allowed):
            raise NotImplementedError(f"{token!r} in {' '.join(self.tokens)}")
        self.position += 1
        return token

    def expect_end(self) -> None:
        if self.peek():
            self.take("")

    def disjunction(self) -> Condition:
        parts = [self.conjunction()]
        while self.peek() == "OR":
            self.take()
            parts.append(self.conjunction())
        return lambda scope: any(part(scope) for part in parts)

    def conjunction(self) -> Condition:
        parts = [self.predicate()]
        while self.peek() == "AND":
            self.take()
            parts.append(self.predicate())
        return lambda scope: all(part(scope) for part in parts)

    def predicate(self) -> Condition:
        if self.peek() == "(":
            self.take()
            inner = self.disjunction()
            self.take(")")
            return inner
        if self.peek() == "attribute_not_exists":
            self.take()
            absent = self.parenthesised_path()
            return lambda scope: scope.attribute(absent) not in scope.item
        if self.peek() == "attribute_exists":
            self.take()
            path = self.parenthesised_path()
            return lambda scope: scope.attribute(path) in scope.item
        left, compare, right = self.operand(), _COMPARISONS[self.take(*_COMPARISONS)], self.operand()
        return lambda scope: _compare(left(scope), right(scope), compare)

    def assignments(self) -> list[Assignment]:
        found: list[Assignment] = []
        while self.peek():
            clause = self.take("ADD", "SET")
            found.append(self.addition() if clause == "ADD" else self.assignment())
            while self.peek() == ",":
                self.take()
                found.append(self.addition() if clause == "ADD" else self.assignment())
        return found

    def addition(self) -> Assignment:
        path, amount = self.take(), self.operand()
        return lambda scope: (
            scope.attribute(path),
            _sum(scope.item.get(scope.attribute(path), {"N": "0"}), amount(scope)),
        )

    def assignment(self) -> Assignment:
        path = self.take()
        self.take("=")
        value = self.operand()
        while self.peek() == "+":
            self.take()
            value = _plus(value, self.operand())
        return lambda scope: (scope.attribute(path), _present(value(scope)))

    def operand(self) -> Operand:
        if self.peek() == "if_not_exists":
            self.take()
            self.take("(")
            path = self.take()
            self.take(",")
            otherwise = self.operand()
            self.take(")")
            return lambda scope: scope.item.get(scope.attribute(path)) or otherwise(scope)
        token = self.take()
        if token.startswith(":"):
            return lambda scope: scope.values[token]
        return lambda scope: scope.item.get(scope.attribute(token))

    def parenthesised_path(self) -> str:
        self.take("(")
        path = self.take()
        self.take(")")
        return path


def _comparable(value: Value) -> tuple[str, str | Decimal]:
    """Turn a stored value into its kind and something that sorts as DynamoDB sorts it."""
    [(kind, text)] = value.items()
    return kind, Decimal(text) if kind == "N" else text


def _compare(left: Value | None, right: Value | None, compare: Callable[[Any, Any], bool]) -> bool:
    if left is None or right is None:
        return False
    (left_kind, left_value), (right_kind, right_value) = _comparable(left), _comparable(right)
    return left_kind == right_kind and compare(left_value, right_value)


def _plus(left: Operand, right: Operand) -> Operand:
    return lambda scope: _sum(left(scope), right(scope))


def _sum(left: Value | None, right: Value | None) -> Value:
    return {"N": f"{Decimal(_present(left)['N']) + Decimal(_present(right)['N']):f}"}


def _present(value: Value | None) -> Value:
    if value is None:
        raise NotImplementedError("an attribute that the item does not have")
    return value
