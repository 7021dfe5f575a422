"""Renders revision files with the real Alembic and SQLAlchemy: the golden side of tests/it/alembic.rs.

    python -m venv /tmp/alembic && /tmp/alembic/bin/pip install -r tests/alembic/requirements.txt
    /tmp/alembic/bin/python tests/alembic/oracle.py fixtures/alembic

For each revision in the directory and those below, `*.json` next to it is rewritten: {"upgrade": [..],
"downgrade": [..]}, the statements in order. A function that raises gives {"error": "Class: message"} after the
statements it had sent. A directory with a `models.py` gives its `metadata` to Alembic. With a second argument nothing
is rewritten: the JSON of all files goes to that file, by name. No database is needed.
"""

import importlib.util
import io
import json
import pathlib
import sys
import warnings

from alembic import context
from alembic.migration import MigrationContext
from alembic.operations import Operations

warnings.simplefilter("ignore")
# Revisions that ask are told that they run against a database.
context.is_offline_mode = lambda: False


def is_revision(path):
    return any(line.startswith("down_revision") for line in path.read_text(encoding="utf-8").splitlines())


def metadata(directory):
    """The metadata of the directory's `models.py`, which brings a naming convention."""
    if not (directory / "models.py").exists():
        return None
    sys.path.insert(0, str(directory))
    return importlib.import_module("models").metadata


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def stable(sent):
    """Sorts the indexes behind one CREATE TABLE, which the library takes from a set: the files must not flicker."""
    out, run = [], []
    for text in sent:
        is_index = text.startswith(("CREATE INDEX", "CREATE UNIQUE INDEX"))
        if run and not is_index:
            out, run = out + [run[0]] + sorted(run[1:]), []
        if run or (text.startswith("CREATE ") and "TABLE " in text.split("(")[0]):
            run.append(text)
        else:
            out.append(text)
    return out + run[:1] + sorted(run[1:])


def render(path, name, target_metadata=None):
    buffer = io.StringIO()
    migration = MigrationContext.configure(
        dialect_name="postgresql",
        # The default parameter style doubles every percent sign.
        dialect_opts={"paramstyle": "named"},
        opts={"as_sql": True, "literal_binds": True, "output_buffer": buffer, "target_metadata": target_metadata},
    )
    # As on a server with standard_conforming_strings, which is what a connection finds out.
    migration.dialect._backslash_escapes = False
    # Its terminator is followed by a blank line, which statements may hold too: a mark is unambiguous.
    mark = "\n--lockgate-oracle--\n"
    migration.impl.static_output = lambda text: buffer.write(text + mark)
    # Without a terminator to strip, a statement is exactly what was sent.
    migration.impl.command_terminator = ""
    error = []
    with Operations.context(migration):
        # A fresh module: tables and types of a file keep state.
        function = getattr(load(path), name, None)
        try:
            if function is not None:
                function()
        except Exception as raised:
            message = str(raised).splitlines()[0] if str(raised) else ""
            error.append({"error": f"{type(raised).__name__}: {message}"})
    sent = stable([part.strip() for part in buffer.getvalue().split(mark) if part.strip()])
    return [text for text in sent if text not in ("BEGIN", "COMMIT", "BEGIN;", "COMMIT;")] + error


def main(directory, out=None):
    directory = pathlib.Path(directory)
    # Where revisions import what they share from.
    sys.path.insert(0, str(directory))
    collected = {}
    for path in sorted(directory.rglob("*.py")):
        if not is_revision(path):
            continue
        if path.parent.name == "plugins" and importlib.util.find_spec("alembic_utils") is None:
            continue
        target = metadata(path.parent)
        golden = {name: render(path, name, target) for name in ("upgrade", "downgrade")}
        if out is not None:
            collected[path.relative_to(directory).as_posix()] = golden
            continue
        text = json.dumps(golden, indent=2, ensure_ascii=False) + "\n"
        path.with_suffix(".json").write_text(text, encoding="utf-8")
    if out is not None:
        pathlib.Path(out).write_text(json.dumps(collected), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
