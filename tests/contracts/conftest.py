"""A package that somebody installed: a module, and beside it what an installer writes down of its entry points."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from apps.rules.registry import Registry

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """`install(GATES, "acme-gates", code, point="acme_gates:SIZE")`; it is gone again after the test."""
    forget: list[Callable[[], Any]] = []

    def put(registry: Registry[Any], package: str, code: str, *, point: str) -> None:
        folder = tmp_path / package
        written = folder / f"{package.replace('-', '_')}-1.0.dist-info"
        written.mkdir(parents=True)
        (written / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (written / "entry_points.txt").write_text(f"[{registry.group}]\nadded = {point}\n")
        module = point.split(":")[0]
        (folder / f"{module}.py").write_text(dedent(code))
        monkeypatch.syspath_prepend(str(folder))
        registry.__dict__.pop("_members", None)
        forget.append(lambda: registry.__dict__.pop("_members", None))
        forget.append(lambda: sys.modules.pop(module, None))

    yield put
    for each in forget:
        each()
