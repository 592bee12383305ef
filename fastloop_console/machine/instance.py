"""Which console a process belongs to: an id that a predictor tells and that everybody who asks it compares.

It is a digest of SECRET_KEY, because every process of one console has that key before it asks anybody anything: on one
machine it is made once for each home folder, on many hosts all of them are given the same. A file in the home folder
would not reach another host's predictor, and a row in the database would be copied with it into a second console.
"""

import hashlib
import hmac

EXTENSION = "fastloop_instance:"  # an entry of `extensions` in the server metadata of Open Inference Protocol v2


def instance_id(secret_key: str) -> str:
    """Sixteen hexadecimal digits, from which the key cannot be told.

    >>> instance_id("a") == instance_id("a") != instance_id("b")
    True
    """
    return hmac.new(secret_key.encode(), b"fastloop instance", hashlib.sha256).hexdigest()[:16]


def predictor_key(secret_key: str) -> str:
    """What the console sends to its predictor and a stranger does not know: 64 hexadecimal digits.

    >>> predictor_key("a") == predictor_key("a") != predictor_key("b")
    True
    """
    return hmac.new(secret_key.encode(), b"fastloop predictor", hashlib.sha256).hexdigest()
