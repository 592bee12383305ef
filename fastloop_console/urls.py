"""Every address of the console. Each app owns its own below these prefixes."""

from django.contrib import admin
from django.urls import include, path
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from apps.loop.telemetry.views import metrics
from apps.pages.script_words import script_words
from apps.projects.views import home

urlpatterns = [
    path("", home, name="home"),
    path("", include("apps.people.urls")),
    path("people/", include("apps.people.people_urls")),
    path("encoders/", include("apps.features.urls")),
    path("notices/", include("apps.notices.urls")),
    path("projects/", include("apps.loop.portfolio.urls")),
    path("projects/", include("apps.projects.urls")),
    path("projects/", include("apps.loop.setup.urls")),
    path("projects/", include("apps.loop.closing.urls")),
    path("projects/<int:project_id>/", include("apps.loop.urls")),
    path("projects/<int:project_id>/data/export/", include("apps.transfer.urls")),
    path("projects/<int:project_id>/data/", include("apps.datasets.urls")),
    path("projects/<int:project_id>/data/<int:example_id>/", include("apps.loop.examples.urls")),
    path("projects/<int:project_id>/settings/queue/", include("apps.labeling.settings_urls")),
    path("projects/<int:project_id>/settings/webhooks/", include("apps.webhooks.urls")),
    path("projects/<int:project_id>/settings/sources/", include("apps.sources.urls")),
    path("projects/<int:project_id>/settings/label-studio/", include("apps.label_studio.urls")),
    path("projects/<int:project_id>/settings/notices/", include("apps.notices.policy_urls")),
    path("projects/<int:project_id>/label/", include("apps.labeling.desk.urls")),
    path("projects/<int:project_id>/label/", include("apps.labeling.bulk.urls")),
    path("projects/<int:project_id>/quality/", include("apps.quality.urls")),
    path("projects/<int:project_id>/runs/", include("apps.training.urls")),
    path("projects/<int:project_id>/learning/", include("apps.evaluation.urls")),
    path("projects/<int:project_id>/models/gates/", include("apps.evaluation.gates.urls")),
    path("projects/<int:project_id>/models/runs/<int:run_id>/report/", include("apps.evaluation.reporting.urls")),
    path("projects/<int:project_id>/models/", include("apps.releases.urls")),
    path("projects/<int:project_id>/models/", include("apps.lineage.urls")),
    path("projects/<int:project_id>/monitor/", include("apps.monitoring.urls")),
    path("projects/<int:project_id>/alarms/", include("apps.loop.mending.urls")),
    path("projects/<int:project_id>/monitors/", include("apps.monitoring.monitors.urls")),
    path("projects/<int:project_id>/feedback/", include("apps.monitoring.feedback.urls")),
    path("projects/<int:project_id>/sla/", include("apps.slas.urls")),
    path("label-studio/", include("apps.label_studio.protocol_urls")),
    path("api/", include("fastloop_console.api_urls")),
    path("metrics", metrics, name="metrics"),
    path("words/<str:language>/<str:edition>.js", script_words, name="script-words"),
    path("language/", require_POST(set_language), name="language"),
    path("admin/", admin.site.urls),
]
handler404 = "fastloop_console.errors.not_found"
handler500 = "fastloop_console.errors.failed"
