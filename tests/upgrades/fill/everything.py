"""How `release_0_1.sql.xz` was made: fills a database of release 0.1 (commit 14f6bae) through its own services, and dumps it.

It runs in a checkout of that commit and never in this one, so its imports name things as they were called there. With this
folder copied to the root of that checkout:

    export FASTLOOP_HOME=/tmp/previous-home PORT=8731 PREDICTOR_PORT=8732
    python manage.py migrate
    python manage.py simulate digits --rounds 2 --labels-per-round 30 --annotators 2
    python manage.py shell -c "from fill.everything import main; main()"

What the loop makes by itself comes from `simulate` and the services; the rest is rows with values that it could have.
"""

import lzma
import re
import subprocess
from pathlib import Path

from django.db import transaction
from fill.labeling import answers, doubts, mail, own_labels
from fill.people import clock_rows, people
from fill.projects import digits, invoices, names, without_anybody
from fill.training import runs
from fill.watching import habits, orders, watch

from apps.accounts.models import User
from fastloop_console import embedded, env


@transaction.atomic
def _fill() -> None:
    who = people()
    clock_rows()
    digits(who)
    project = mail(who)
    runs(project, who)
    answers(project, who)
    doubts(project)
    own_labels(project, who)
    orders(project)
    watch(project, who)
    habits(project, who)
    invoices(who)
    names(who)
    without_anybody()
    User.objects.get(username="gone").delete()  # what is theirs goes; what only names them stays without a name


def _dump(target: Path) -> None:
    """Plain SQL: the schema, a COPY block a table, then constraints; without settings, comments and this machine's folders."""
    place = embedded._read(env.home())
    asked = [
        Path(place.postgres_bin) / "pg_dump",
        "--no-owner",
        "--no-privileges",
        "--no-comments",
        place.urls.database,
    ]
    text = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
    text = text.replace(f"file://{env.home()}/storage", "file:///var/lib/fastloop/storage")
    text = re.sub(r"^(SET |SELECT pg_catalog\.set_config|--|\\(un)?restrict ).*\n", "", text, flags=re.MULTILINE)
    target.write_bytes(lzma.compress(re.sub(r"\n{2,}", "\n", text).encode(), preset=9))


def main() -> None:
    _fill()
    _dump(Path("release_0_1.sql.xz"))
