"""Renders the revisions of a real project with the real library, for tests/it/alembic_corpus.rs.

    python tests/alembic/corpus.py PROJECT OUT.json [naming convention as JSON]

Every revision below PROJECT is loaded and its `upgrade` run in a process of its own, offline. Those whose imports are
not installed are left out. The files are executed: use a throw-away machine, a user without rights and no network.
"""

import json
import os
import pathlib
import signal
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import oracle  # noqa: E402
from sqlalchemy import MetaData  # noqa: E402

SECONDS = 20


def roots(path, project):
    """Where the project's imports may start."""
    for directory in path.parents:
        yield from (str(directory), str(directory / "src"))
        if directory == project:
            return


def rendered(path, project, convention):
    """What a revision sends, from a process that ends with it."""
    with tempfile.TemporaryFile("w+") as out:
        child = os.fork()
        if child == 0:
            signal.alarm(SECONDS)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            sys.path += roots(path, project)
            target = MetaData(naming_convention=convention) if convention else None
            try:
                json.dump(oracle.render(path, "upgrade", target), out)
                out.flush()
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        out.seek(0)
        text = out.read()
    return json.loads(text) if text else None


def main(project, out, convention="null"):
    project = pathlib.Path(project).resolve()
    golden = {}
    for path in sorted(path for path in project.rglob("*.py") if path.is_file()):
        text = path.read_text(encoding="utf-8", errors="replace")
        if "down_revision" in text and "def upgrade" in text:
            sent = rendered(path, project, json.loads(convention))
            if sent is not None:
                golden[path.relative_to(project).as_posix()] = sent
    pathlib.Path(out).write_text(json.dumps(golden), encoding="utf-8")
    whole = sum(1 for sent in golden.values() if not sent or isinstance(sent[-1], str))
    print(f"{project.name}: {len(golden)} loaded, {whole} rendered to the end")


if __name__ == "__main__":
    main(*sys.argv[1:])
