"""The only reader of os.environ: every variable the console knows, with its default. `.env.example` lists them too."""

import os
import secrets
from email.utils import parseaddr
from pathlib import Path

import environ

from fastloop_console.machine.place import kept_once, written_below
from fastloop_console.machine.refusals import SettingInvalid

ROOT = Path(__file__).resolve().parents[2]
_env = environ.Env()
if (ROOT / ".env").exists():
    environ.Env.read_env(ROOT / ".env")
THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
# Names that another project's shell may have set for itself; with FASTLOOP_ in front they are surely meant for the console.
GENERAL = (
    "DATABASE_URL",
    "REDIS_URL",
    "STORAGE_URL",
    "SECRET_KEY",
    "HOST",
    "PORT",
    "ALLOWED_HOSTS",
    "LOG_LEVEL",
    "DEBUG",
    "DEMO",
)
for _name in GENERAL:
    if (_meant := os.environ.get(f"FASTLOOP_{_name}")) is not None:
        os.environ[_name] = _meant


def home() -> Path:
    """Where the embedded servers, uploads and model files live on one machine."""
    return Path(_env.str("FASTLOOP_HOME", default=str(ROOT / "var"))).resolve()


def database_url() -> str:
    return str(_env.str("DATABASE_URL", default=""))


def redis_url() -> str:
    return str(_env.str("REDIS_URL", default=""))


def storage_url() -> str:
    """Root of everything that is a file: uploads, shards, versions, checkpoints, models. Any fsspec URL."""
    return str(_env.str("STORAGE_URL", default=f"file://{home() / 'storage'}"))


def secret_key(*, required: bool = False) -> str:
    """From SECRET_KEY; on one machine a random key is made once and kept in the home folder."""
    given = str(_env.str("SECRET_KEY", default=""))
    if given or required:
        return given
    with written_below(home()):
        return kept_once(home() / "secret_key", secrets.token_urlsafe(48))


def secret_key_fallbacks() -> list[str]:
    """Earlier keys, newest first, after SECRET_KEY was changed."""
    return list(_env.list("SECRET_KEY_FALLBACKS", default=[]))


def host() -> str:
    return str(_env.str("HOST", default="127.0.0.1"))


def port() -> int:
    return _whole("PORT", _env.str("PORT", default="8000"), least=1, most=65_535)


def predictor_host() -> str:
    return str(_env.str("PREDICTOR_HOST", default="127.0.0.1"))


def predictor_port() -> int:
    return _whole("PREDICTOR_PORT", _env.str("PREDICTOR_PORT", default="8080"), least=1, most=65_535)


def predictor_grpc_port() -> int:
    """A thousand above that of REST unless said otherwise, out of the way of a second console's; 0 is no gRPC."""
    usual = min(predictor_port() + 1_000, 65_535)
    return _whole("PREDICTOR_GRPC_PORT", _env.str("PREDICTOR_GRPC_PORT", default=str(usual)), least=0, most=65_535)


def predictor_grpc_said() -> bool:
    """Whether somebody wants gRPC at that very port; else a console whose usual one is taken does without."""
    return bool(_env.str("PREDICTOR_GRPC_PORT", default=""))


def predictor_url() -> str:
    return str(_env.str("PREDICTOR_URL", default=f"http://127.0.0.1:{predictor_port()}"))


def predictor_auth() -> bool:
    """Whether the predictor wants the console's key. Raises SettingInvalid where it would be open to other machines."""
    wanted = bool(_env.bool("PREDICTOR_AUTH", default=True))
    if not wanted and predictor_host() not in THIS_MACHINE:
        raise SettingInvalid(
            f"PREDICTOR_AUTH is off, and PREDICTOR_HOST is {predictor_host()}: whoever reaches it could ask every model. "
            "Leave the key on, or set PREDICTOR_HOST to 127.0.0.1."
        )
    return wanted


def predictor_max_batch_size() -> int:
    """Rows of several requests that go through a model together."""
    return _whole("PREDICTOR_MAX_BATCH_SIZE", _env.str("PREDICTOR_MAX_BATCH_SIZE", default="128"), least=1)


def predictor_max_latency_ms() -> int:
    """How long a request waits behind a forward pass before it gets one of its own beside it."""
    return _whole("PREDICTOR_MAX_LATENCY_MS", _env.str("PREDICTOR_MAX_LATENCY_MS", default="500"), least=0)


def worker_metrics_port() -> int:
    """Of the quick worker's `/metrics`; the torch worker of `up` takes the next one. 0: none."""
    return _whole("WORKER_METRICS_PORT", _env.str("WORKER_METRICS_PORT", default="0"), least=0, most=65_534)


def worker_metrics_host() -> str:
    return str(_env.str("WORKER_METRICS_HOST", default="127.0.0.1"))


def outbound_private_hosts() -> list[str]:
    """Names, addresses and networks (10.0.0.0/8) within this network that webhooks may be sent to, also without TLS."""
    return [str(each).strip() for each in _env.list("OUTBOUND_PRIVATE_HOSTS", default=[]) if str(each).strip()]


MAIL_PORTS = {"starttls": 587, "tls": 465, "none": 25}


def smtp_host() -> str:
    """The server that takes the console's mail; empty: no mail is sent."""
    return str(_env.str("SMTP_HOST", default="")).strip()


def smtp_security() -> str:
    """`starttls` within the line, `tls` from its begin, or `none`. Raises SettingInvalid."""
    said = str(_env.str("SMTP_SECURITY", default="")).strip().lower() or "starttls"
    if said not in MAIL_PORTS:
        raise SettingInvalid(f"SMTP_SECURITY is “{said}”; it is one of {', '.join(MAIL_PORTS)}.")
    return said


def smtp_port() -> int:
    usual = str(MAIL_PORTS[smtp_security()])
    return _whole("SMTP_PORT", _env.str("SMTP_PORT", default="") or usual, least=1, most=65_535)


def smtp_user() -> str:
    return str(_env.str("SMTP_USER", default=""))


def smtp_password() -> str:
    return str(_env.str("SMTP_PASSWORD", default=""))


def mail_from() -> str:
    """Who mail is from. Raises SettingInvalid for what is no address, or where there is a server and no address."""
    said = str(_env.str("MAIL_FROM", default="")).strip() or (smtp_user() if "@" in smtp_user() else "")
    if not smtp_host():
        return said or "fastloop@localhost"
    if any(not c.isprintable() for c in said) or "@" not in parseaddr(said)[1]:
        raise SettingInvalid(
            f"MAIL_FROM is “{said[:80]}”, and SMTP_HOST is set: say who mail is from, such as "
            "“FastLoop Console <fastloop@example.com>”."
        )
    return said


def console_url() -> str:
    """Where people open the console, for links in mail: CONSOLE_URL, else the first host that it answers to."""
    said = str(_env.str("CONSOLE_URL", default="")).strip()
    if said:
        if not said.startswith(("https://", "http://")) or any(not c.isprintable() or c.isspace() for c in said):
            raise SettingInvalid(
                f"CONSOLE_URL is “{said[:80]}”; write the whole address, such as https://console.example.com/."
            )
        return said.rstrip("/") + "/"
    named = [name for name in allowed_hosts() if name not in ("localhost", "127.0.0.1", "[::1]", "*")]
    if named:
        return f"https://{named[0].lstrip('.')}/"
    return f"http://127.0.0.1:{port()}/"


def predictor_log_mb() -> int:
    """Of the predictor's own disk, for answers that wait for the database; beyond it the oldest go."""
    return _whole("PREDICTOR_LOG_MB", _env.str("PREDICTOR_LOG_MB", default="1000"), least=1)


def mlflow_tracking_uri() -> str:
    """A tracking server that runs and models are mirrored to; empty is off."""
    return str(_env.str("MLFLOW_TRACKING_URI", default=""))


def kafka_brokers() -> str:
    """Brokers of Kafka whose topics may be sources: host:port,host:port; empty is off."""
    return str(_env.str("KAFKA_BROKERS", default=""))


def kafka_options_file() -> str:
    """What its client needs besides, as lines of name=value: security.protocol and the like."""
    return str(_env.str("KAFKA_OPTIONS_FILE", default=""))


def kafka_schema_registry() -> str:
    """The registry of Avro schemas, as http://host:8081; empty where events are JSON."""
    return str(_env.str("KAFKA_SCHEMA_REGISTRY", default=""))


def integrations() -> dict[str, str]:
    """Port to the integration behind it, where it is not the console's own: tracking=acme,jobs=acme-jobs."""
    return dict(_env.dict("FASTLOOP_INTEGRATIONS", default={}))


def train_processes() -> int:
    """Processes of a fine-tune on each host; 0 is one for each GPU, or a single one."""
    return _whole("FASTLOOP_TRAIN_PROCESSES", _env.str("FASTLOOP_TRAIN_PROCESSES", default="0"), least=0)


def train_nodes() -> int:
    """Hosts that fine-tune together."""
    return _whole("FASTLOOP_TRAIN_NODES", _env.str("FASTLOOP_TRAIN_NODES", default="1"), least=1)


def train_rendezvous() -> str:
    """Where the processes of several hosts meet: host:port of the worker."""
    return str(_env.str("FASTLOOP_TRAIN_RENDEZVOUS", default=""))


def train_folder() -> str:
    """Where a launch is handed to its processes; several hosts share it."""
    return str(_env.str("FASTLOOP_TRAIN_FOLDER", default=str(home() / "launches")))


def allowed_hosts() -> list[str]:
    return list(_env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"]))


def csrf_trusted_origins() -> list[str]:
    return list(_env.list("CSRF_TRUSTED_ORIGINS", default=[]))


def max_upload_bytes() -> int:
    return _whole("MAX_UPLOAD_BYTES", _env.str("MAX_UPLOAD_BYTES", default="1000000000"), least=1)


def hsts_for_subdomains() -> bool:
    """Whether browsers are told that every name below the console's speaks TLS only."""
    return bool(_env.bool("HSTS_FOR_SUBDOMAINS", default=False))


def log_level() -> str:
    return str(_env.str("LOG_LEVEL", default="INFO"))


def debug() -> bool:
    return bool(_env.bool("DEBUG", default=False))


def demo() -> bool:
    """Whether `up` makes the demo project and its people."""
    return bool(_env.bool("DEMO", default=True))


def code_version() -> str:
    """What a run writes down as its code: CODE_VERSION in an image, else the checkout's commit, else nothing."""
    given = str(_env.str("CODE_VERSION", default=""))
    if given:
        return given[:40]
    head = ROOT / ".git" / "HEAD"
    try:
        text = head.read_text().strip()
        return text[:40] if not text.startswith("ref: ") else (ROOT / ".git" / text[5:]).read_text().strip()[:40]
    except OSError:
        return ""


def _whole(name: str, text: str, *, least: int, most: int | None = None) -> int:
    """Raises SettingInvalid, in a sentence, where that is no whole number of this range."""
    try:
        number = int(text)
    except ValueError:
        number = None
    if number is None or number < least or (most is not None and number > most):
        span = f"from {least} to {most}" if most is not None else f"from {least} on"
        raise SettingInvalid(f"{name} is “{text}”; it takes a whole number {span}.")
    return number
