"""The formats by name, in the order in which a form offers them. A new one is a file beside this one and a line here."""

from apps.rules.registry import Registry
from apps.rules.webhooks.cloudevents import CLOUDEVENTS
from apps.rules.webhooks.slack import SLACK
from apps.rules.webhooks.standard import STANDARD
from apps.rules.webhooks.teams import TEAMS
from apps.rules.webhooks.webhook_format import WebhookFormat

WEBHOOK_FORMATS = Registry[WebhookFormat](
    group="fastloop.webhook_formats",
    noun="webhook format",
    kind=WebhookFormat,
    own=(STANDARD, CLOUDEVENTS, SLACK, TEAMS),
)
