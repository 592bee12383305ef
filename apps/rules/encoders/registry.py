"""The installed encoders by name. The first that reads a payload is the default of projects that choose none."""

from apps.rules.encoders.encoder import InstalledEncoder
from apps.rules.encoders.light import HASHED_ROW, HASHED_WORDS, THUMBNAIL
from apps.rules.encoders.minilm import MINILM
from apps.rules.registry import Registry

ENCODERS = Registry[InstalledEncoder](
    group="fastloop.encoders", noun="encoder", kind=InstalledEncoder, own=(MINILM, HASHED_WORDS, THUMBNAIL, HASHED_ROW)
)
READS_LIKE = {"pair": "text"}  # a pair is read as all its text


def reading(payload: str) -> list[InstalledEncoder]:
    """Those that read this kind of payload, the default first."""
    return [each for each in ENCODERS.values() if payload in each.payloads]
