"""Whatever a file holds, loading ends with a project or with problems that name a file: nothing else."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from clerestory.errors import ClerestoryError, Problems
from clerestory.project import load, typed_numbers
from tests.project.good import FILES, write_project

_PIECES = [
    "{", "}", "[", "]", '"', "'", "=", ":", "\n", "#", "-", "```", "---", "{{", "}}", "é", "0", "all", "null",
    "true", ",", "[[x]]", "x = 1", "- ", "<b>", "year(", "value(", "\\", "\t", '"""', "9" * 5000, "[" * 3000,
]  # fmt: skip


def _mangled(text: str, rng: random.Random) -> str:
    for _ in range(rng.randint(1, 3)):
        start = rng.randrange(len(text) + 1)
        end = min(len(text), start + rng.choice([0, 0, 1, 5, 40]))
        text = text[:start] + rng.choice([*_PIECES, ""]) + text[end:]
    return text


@pytest.mark.parametrize("name", FILES)
def test_a_mangled_file_is_a_project_or_a_problem(tmp_path: Path, name: str) -> None:
    rng = random.Random(f"mangled {name}")
    write_project(tmp_path)
    for _ in range(40):
        (tmp_path / name).write_text(_mangled(FILES[name], rng), encoding="utf-8")
        try:
            for page in load(tmp_path).pages:
                typed_numbers(page)
        except Problems as error:
            for one in error.problems:
                assert any(one.where.startswith(known) for known in FILES), one
                assert one.what
        except ClerestoryError as error:
            assert error.where
