"""A database as plain SQL in a file, as `pg_dump` writes it: a schema, a COPY block a table, then its constraints."""

import lzma
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

_COPY = re.compile(r"COPY public\.(\w+) \((.*)\) FROM stdin;")
_KEY = re.compile(r"ALTER TABLE ONLY public\.(\w+)\s+ADD CONSTRAINT \w+ PRIMARY KEY \((\w+)\);")


@dataclass(frozen=True)
class Table:
    """`lines` are rows in COPY's text form: the columns' values with tabs between them."""

    columns: tuple[str, ...]
    lines: tuple[str, ...]

    def of(self, names: Sequence[str]) -> list[str]:
        """These columns of every row, sorted."""
        places = [self.columns.index(name) for name in names]
        rows = [line.split("\t") for line in self.lines]
        return sorted("\t".join(row[place] for place in places) for row in rows)


@dataclass(frozen=True)
class Dump:
    """`steps` are in the file's order: SQL to run, or the name of a table whose rows come now."""

    tables: Mapping[str, Table]
    steps: tuple[str, ...]
    keys: Mapping[str, str]

    def load(self, connection: psycopg.Connection) -> None:
        """Into an empty database, in one transaction."""
        with connection.transaction(), connection.cursor() as cursor:
            for step in self.steps:
                table = self.tables.get(step)
                if table is None:
                    cursor.execute(step.encode())
                    continue
                columns = ", ".join(f'"{name}"' for name in table.columns)
                with cursor.copy(f"COPY public.{step} ({columns}) FROM STDIN".encode()) as copy:
                    copy.write("".join(f"{line}\n" for line in table.lines))


def dump_read(path: Path) -> Dump:
    """An xz file whose COPY blocks end with a line of a backslash and a dot."""
    tables: dict[str, Table] = {}
    steps: list[str] = []
    sql: list[str] = []
    lines = iter(lzma.decompress(path.read_bytes()).decode().split("\n"))
    for line in lines:
        copy = _COPY.fullmatch(line)
        if copy is None:
            sql.append(line)
            continue
        columns = tuple(name.strip('" ') for name in copy[2].split(","))
        tables[copy[1]] = Table(columns, tuple(iter(lines.__next__, "\\.")))
        steps += ["\n".join(sql), copy[1]]
        sql = []
    steps.append("\n".join(sql))
    return Dump(tables, tuple(step for step in steps if step.strip()), dict(_KEY.findall("\n".join(steps))))
