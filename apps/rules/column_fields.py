"""Parameters that gates and monitors of columns and rows have in common, as fields of a policy."""

from typing import Any

from pydantic import Field

MOST_COLUMNS = 200  # that a policy names


def columns_field() -> Any:
    return Field((), max_length=MOST_COLUMNS, title="Columns", description="One a line; all of them, if empty.")


def slack_field() -> Any:
    return Field(
        0.1,
        ge=0,
        le=100,
        title="Slack of ranges",
        description="By which a number may leave them, as a share of their width.",
    )


def most_categories_field(description: str) -> Any:
    """`description` says what a column of words with more values is spared."""
    return Field(50, ge=1, le=10_000, title="Most categories", description=description)


def least_rows_field(usual: int, description: str, *, least: int = 1) -> Any:
    return Field(usual, ge=least, le=1_000_000, title="Least rows", description=description)
