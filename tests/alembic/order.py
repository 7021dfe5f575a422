"""What the real Alembic makes of environments: prints a JSON list, one object for each `CONFIG:SECTION` argument.

    python tests/alembic/order.py PROJECT CONFIG:SECTION…

`order` are the revisions as `upgrade heads` runs them, `heads` those at the end; `error` is set where it refuses.
No database is needed and nothing of the project is run but the assignments at the top of its revisions.
"""

import json
import os
import sys

from alembic.config import Config
from alembic.script import ScriptDirectory


def described(argument):
    name, _, section = argument.rpartition(":")
    if name.endswith(".toml"):
        config = Config(toml_file=name, ini_section=section)
    else:
        config = Config(name, ini_section=section)
    try:
        scripts = ScriptDirectory.from_config(config)
        order = [script.revision for script in scripts.walk_revisions()]
        steps = scripts._upgrade_revs("heads", ())
        return {
            "all": sorted(order),
            "order": [step.revision.revision for step in steps],
            "heads": sorted(scripts.get_heads()),
        }
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    print(json.dumps([described(argument) for argument in sys.argv[2:]]))
