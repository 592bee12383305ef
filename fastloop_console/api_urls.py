"""The REST API, its schema and its page. One list, so that an integrator sees all of it at once."""

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from apps.datasets import api as datasets
from apps.evaluation import api as evaluation
from apps.evaluation import freshness_api
from apps.evaluation.gates import api as gates
from apps.evaluation.reporting import api as reporting
from apps.features import api as features
from apps.labeling import api as labeling
from apps.labeling import settings_api
from apps.lineage import ledger_api, lineage_api, run_api
from apps.loop import api as loop
from apps.loop import runs_api
from apps.loop.closing import api as closing
from apps.loop.examples import acts_api
from apps.loop.examples import api as examples
from apps.loop.mending import api as mending
from apps.loop.setup import api as setup
from apps.loop.setup import schema_api
from apps.loop.setup.views import api_start
from apps.monitoring import api as monitoring
from apps.monitoring.feedback import api as feedback
from apps.monitoring.monitors import api as monitors
from apps.notices import api as notices
from apps.projects import api as projects
from apps.quality import api as quality
from apps.releases import api as releases
from apps.releases.registry import api as registry
from apps.releases.rollouts import api as rollouts
from apps.slas import api as slas
from apps.sources import api as sources
from apps.training import api as training
from apps.training import online_api, schedule_api, sweep_api
from apps.transfer import api as transfer
from apps.webhooks import api as webhooks

PROJECT = "v1/projects/<int:project_id>/"

urlpatterns = [
    path("", api_start, name="api-start"),
    path("reference/", SpectacularSwaggerSplitView.as_view(url_name="api-schema"), name="api-docs"),
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("v1/encoders/", features.EncodersAPI.as_view(), name="api-encoders"),
    path("v1/encoders/<str:name>/check/", features.EncoderCheckAPI.as_view(), name="api-encoder-check"),
    path("v1/projects/", setup.ProjectsAPI.as_view(), name="api-projects"),
    path("v1/deletions/", closing.DeletionsAPI.as_view(), name="api-deletions"),
    path("v1/deletions/<int:number>/", closing.DeletionAPI.as_view(), name="api-deletion"),
    path(PROJECT, setup.ProjectDetailAPI.as_view(), name="api-project"),
    path(f"{PROJECT}schema/", schema_api.SchemaAPI.as_view(), name="api-project-schema"),
    path(f"{PROJECT}schema/<int:label_id>/", schema_api.SchemaLabelAPI.as_view(), name="api-project-schema-label"),
    path(f"{PROJECT}sources/", sources.SourcesAPI.as_view(), name="api-sources"),
    path(f"{PROJECT}sources/<int:source_id>/", sources.SourceAPI.as_view(), name="api-source"),
    path(f"{PROJECT}sources/<int:source_id>/events/", sources.SourceEventsAPI.as_view(), name="api-source-events"),
    path(f"{PROJECT}sources/<int:source_id>/letters/", sources.SourceLettersAPI.as_view(), name="api-source-letters"),
    path(f"{PROJECT}sources/<int:source_id>/test/", sources.SourceTestAPI.as_view(), name="api-source-test"),
    path(f"{PROJECT}sources/<int:source_id>/replay/", sources.SourceReplayAPI.as_view(), name="api-source-replay"),
    path(f"{PROJECT}webhooks/", webhooks.WebhooksAPI.as_view(), name="api-webhooks"),
    path(f"{PROJECT}webhooks/<int:webhook_id>/", webhooks.WebhookAPI.as_view(), name="api-webhook"),
    path(f"{PROJECT}webhooks/<int:webhook_id>/rotate/", webhooks.WebhookRotateAPI.as_view(), name="api-webhook-rotate"),
    path(f"{PROJECT}webhooks/<int:webhook_id>/test/", webhooks.WebhookTestAPI.as_view(), name="api-webhook-test"),
    path(
        f"{PROJECT}webhooks/<int:webhook_id>/deliveries/",
        webhooks.WebhookDeliveriesAPI.as_view(),
        name="api-webhook-deliveries",
    ),
    path(
        f"{PROJECT}webhooks/<int:webhook_id>/deliveries/<int:delivery_id>/repeat/",
        webhooks.WebhookRepeatAPI.as_view(),
        name="api-webhook-repeat",
    ),
    path("v1/notices/", notices.NoticesAPI.as_view(), name="api-notices"),
    path("v1/notices/read/", notices.NoticesReadAPI.as_view(), name="api-notices-read"),
    path("v1/notices/choices/", notices.NoticeChoicesAPI.as_view(), name="api-notice-choices"),
    path("v1/notices/mail/", notices.MailAPI.as_view(), name="api-notice-mail"),
    path("v1/notices/<int:notice_id>/", notices.NoticeAPI.as_view(), name="api-notice"),
    path("v1/notices/<int:notice_id>/snooze/", notices.NoticeSnoozeAPI.as_view(), name="api-notice-snooze"),
    path("v1/notices/<int:notice_id>/assign/", notices.NoticeAssignAPI.as_view(), name="api-notice-assign"),
    path("v1/notices/<int:notice_id>/comments/", notices.NoticeCommentsAPI.as_view(), name="api-notice-comments"),
    path("v1/notices/<int:notice_id>/resolve/", notices.NoticeResolveAPI.as_view(), name="api-notice-resolve"),
    path(f"{PROJECT}notice-policy/", notices.NoticePolicyAPI.as_view(), name="api-notice-policy"),
    path(f"{PROJECT}event-types/", webhooks.EventTypesAPI.as_view(), name="api-event-types"),
    path(f"{PROJECT}queue/", settings_api.QueueAPI.as_view(), name="api-queue"),
    path(f"{PROJECT}members/", projects.MembersAPI.as_view(), name="api-members"),
    path(f"{PROJECT}members/<int:user_id>/", projects.MemberAPI.as_view(), name="api-member"),
    path(f"{PROJECT}examples/", loop.ExamplesAPI.as_view(), name="api-examples"),
    path(f"{PROJECT}examples/<int:example_id>/", examples.ExampleAPI.as_view(), name="api-example"),
    path(f"{PROJECT}examples/<int:example_id>/delete/", examples.ExampleDeleteAPI.as_view(), name="api-example-delete"),
    path(
        f"{PROJECT}examples/<int:example_id>/correct/", acts_api.ExampleCorrectAPI.as_view(), name="api-example-correct"
    ),
    path(f"{PROJECT}examples/<int:example_id>/flag/", acts_api.ExampleFlagAPI.as_view(), name="api-example-flag"),
    path(
        f"{PROJECT}examples/<int:example_id>/ask-again/",
        acts_api.ExampleAskAgainAPI.as_view(),
        name="api-example-ask-again",
    ),
    path(f"{PROJECT}deleted-examples/", examples.TombstonesAPI.as_view(), name="api-deleted-examples"),
    path(
        f"{PROJECT}deleted-examples/<int:number>/allow/",
        examples.TombstoneAllowAPI.as_view(),
        name="api-deleted-example-allow",
    ),
    path(f"{PROJECT}uploads/", loop.UploadsAPI.as_view(), name="api-uploads"),
    path(f"{PROJECT}ingestions/", datasets.IngestionsAPI.as_view(), name="api-ingestions"),
    path(f"{PROJECT}ingestions/<int:ingestion_id>/", datasets.IngestionAPI.as_view(), name="api-ingestion"),
    path(f"{PROJECT}dead-letters/", datasets.DeadLettersAPI.as_view(), name="api-dead-letters"),
    path(f"{PROJECT}dataset-versions/", datasets.DatasetVersionsAPI.as_view(), name="api-dataset-versions"),
    path(
        f"{PROJECT}dataset-versions/<int:number>/diff/",
        datasets.DatasetVersionDiffAPI.as_view(),
        name="api-dataset-version-diff",
    ),
    path(
        f"{PROJECT}dataset-versions/<int:number>/changes/",
        datasets.DatasetVersionChangesAPI.as_view(),
        name="api-dataset-version-changes",
    ),
    path(f"{PROJECT}assignments/next/", labeling.NextAPI.as_view(), name="api-next"),
    path(f"{PROJECT}annotations/", labeling.AnnotationsAPI.as_view(), name="api-annotations"),
    path(f"{PROJECT}annotations/<uuid:client_id>/", labeling.AnnotationAPI.as_view(), name="api-annotation"),
    path(f"{PROJECT}labels/", labeling.LabelsAPI.as_view(), name="api-labels"),
    path(f"{PROJECT}mapping/", transfer.MappingAPI.as_view(), name="api-mapping"),
    path(f"{PROJECT}export/", transfer.ExportAPI.as_view(), name="api-export"),
    path(f"{PROJECT}quality/", quality.QualityAPI.as_view(), name="api-quality"),
    path(f"{PROJECT}quality/people/", quality.PeopleAPI.as_view(), name="api-quality-people"),
    path(f"{PROJECT}learning/", evaluation.LearningAPI.as_view(), name="api-learning"),
    path(f"{PROJECT}auto-labeling/", evaluation.AutoLabelingAPI.as_view(), name="api-auto-labeling"),
    path(f"{PROJECT}auto-labels/", evaluation.AutoLabelsAPI.as_view(), name="api-auto-labels"),
    path(f"{PROJECT}auto-batches/", evaluation.AutoBatchesAPI.as_view(), name="api-auto-batches"),
    path(
        f"{PROJECT}auto-batches/<int:number>/withdraw/",
        evaluation.AutoBatchWithdrawAPI.as_view(),
        name="api-auto-batch-withdraw",
    ),
    path(f"{PROJECT}runs/", runs_api.RunsAPI.as_view(), name="api-runs"),
    path(f"{PROJECT}trigger/", training.TriggerAPI.as_view(), name="api-trigger"),
    path(f"{PROJECT}online/", online_api.OnlineAPI.as_view(), name="api-online"),
    path(f"{PROJECT}sweeps/", sweep_api.SweepsAPI.as_view(), name="api-sweeps"),
    path("v1/sweeps/<int:sweep_id>/", sweep_api.SweepAPI.as_view(), name="api-sweep"),
    path("v1/sweeps/<int:sweep_id>/cancel/", sweep_api.SweepCancelAPI.as_view(), name="api-sweep-cancel"),
    path("v1/runs/<int:run_id>/", run_api.RunDetailAPI.as_view(), name="api-run"),
    path("v1/runs/<int:run_id>/report/", reporting.ReportAPI.as_view(), name="api-report"),
    path("v1/runs/<int:run_id>/model-card/", reporting.ModelCardAPI.as_view(), name="api-model-card"),
    path("v1/runs/<int:run_id>/override/", reporting.OverrideAPI.as_view(), name="api-gates-override"),
    path(f"{PROJECT}schedules/", schedule_api.SchedulesAPI.as_view(), name="api-schedules"),
    path(f"{PROJECT}policy/", schedule_api.PolicyAPI.as_view(), name="api-policy"),
    path(f"{PROJECT}freshness/", freshness_api.FreshnessAPI.as_view(), name="api-freshness"),
    path(f"{PROJECT}ledger/", ledger_api.LedgerAPI.as_view(), name="api-ledger"),
    path("v1/runs/<int:run_id>/priority/", schedule_api.PriorityAPI.as_view(), name="api-run-priority"),
    path("v1/runs/<int:run_id>/cancel/", training.CancelAPI.as_view(), name="api-run-cancel"),
    path(f"{PROJECT}models/", releases.ModelsAPI.as_view(), name="api-models"),
    path("v1/models/<int:version_id>/", releases.ModelAPI.as_view(), name="api-model"),
    path("v1/models/<int:version_id>/download/", releases.ModelDownloadAPI.as_view(), name="api-model-download"),
    path("v1/models/<int:version_id>/lineage/", lineage_api.LineageAPI.as_view(), name="api-model-lineage"),
    path("v1/models/<int:version_id>/promote/", releases.PromoteAPI.as_view(), name="api-promote"),
    path("v1/models/<int:version_id>/release/", rollouts.ReleaseAPI.as_view(), name="api-release"),
    path(f"{PROJECT}gate-policy/", gates.GatePolicyAPI.as_view(), name="api-gate-policy"),
    path(f"{PROJECT}sensitive-columns/", gates.SensitiveColumnsAPI.as_view(), name="api-sensitive-columns"),
    path(f"{PROJECT}release-policy/", rollouts.ReleasePolicyAPI.as_view(), name="api-release-policy"),
    path(f"{PROJECT}release-rules/", registry.ReleaseRulesAPI.as_view(), name="api-release-rules"),
    path(f"{PROJECT}release-requests/", registry.ReleaseRequestsAPI.as_view(), name="api-release-requests"),
    path(
        "v1/release-requests/<int:request_id>/approve/",
        registry.ReleaseRequestApproveAPI.as_view(),
        name="api-release-request-approve",
    ),
    path(
        "v1/release-requests/<int:request_id>/decline/",
        registry.ReleaseRequestDeclineAPI.as_view(),
        name="api-release-request-decline",
    ),
    path(f"{PROJECT}aliases/", registry.AliasesAPI.as_view(), name="api-aliases"),
    path(f"{PROJECT}aliases/<str:name>/", registry.AliasAPI.as_view(), name="api-alias"),
    path(f"{PROJECT}rollouts/", rollouts.RolloutsAPI.as_view(), name="api-rollouts"),
    path("v1/rollouts/<int:rollout_id>/", rollouts.RolloutAPI.as_view(), name="api-rollout"),
    path("v1/rollouts/<int:rollout_id>/replay/", rollouts.RolloutReplayAPI.as_view(), name="api-rollout-replay"),
    path("v1/rollouts/<int:rollout_id>/pause/", rollouts.RolloutPauseAPI.as_view(), name="api-rollout-pause"),
    path("v1/rollouts/<int:rollout_id>/resume/", rollouts.RolloutResumeAPI.as_view(), name="api-rollout-resume"),
    path("v1/rollouts/<int:rollout_id>/promote/", rollouts.RolloutPromoteAPI.as_view(), name="api-rollout-promote"),
    path("v1/rollouts/<int:rollout_id>/abort/", rollouts.RolloutAbortAPI.as_view(), name="api-rollout-abort"),
    path(f"{PROJECT}roll-back/", releases.RollBackAPI.as_view(), name="api-roll-back"),
    path(f"{PROJECT}predict/", loop.PredictAPI.as_view(), name="api-predict"),
    path(f"{PROJECT}predictions/", monitoring.PredictionsAPI.as_view(), name="api-predictions"),
    path(f"{PROJECT}drift-checks/", loop.DriftAPI.as_view(), name="api-drift"),
    path(f"{PROJECT}feedback/", feedback.FeedbackAPI.as_view(), name="api-feedback"),
    path(f"{PROJECT}feedback-letters/", feedback.FeedbackLettersAPI.as_view(), name="api-feedback-letters"),
    path(f"{PROJECT}feedback-metrics/", feedback.FeedbackMetricsAPI.as_view(), name="api-feedback-metrics"),
    path(f"{PROJECT}feedback-settings/", feedback.FeedbackSettingsAPI.as_view(), name="api-feedback-settings"),
    path(f"{PROJECT}monitors/", monitors.MonitorsAPI.as_view(), name="api-monitors"),
    path(f"{PROJECT}monitor-policy/", monitors.MonitorPolicyAPI.as_view(), name="api-monitor-policy"),
    path(f"{PROJECT}monitor-readings/", monitors.ReadingsAPI.as_view(), name="api-monitor-readings"),
    path(f"{PROJECT}alerts/", monitoring.AlertsAPI.as_view(), name="api-alerts"),
    path(f"{PROJECT}alerts/<int:alert_id>/resolve/", monitoring.AlertResolveAPI.as_view(), name="api-alert-resolve"),
    path(f"{PROJECT}alerts/<int:alert_id>/follow-up/", mending.FollowUpAPI.as_view(), name="api-alert-follow-up"),
    path(f"{PROJECT}alerts/<int:alert_id>/roll-back/", mending.AlarmRollBackAPI.as_view(), name="api-alert-roll-back"),
    path(f"{PROJECT}alerts/<int:alert_id>/label/", mending.AlarmLaneAPI.as_view(), name="api-alert-label"),
    path(f"{PROJECT}alerts/<int:alert_id>/train/", mending.AlarmRetrainAPI.as_view(), name="api-alert-train"),
    path(f"{PROJECT}alarm-policy/", mending.AlarmPolicyAPI.as_view(), name="api-alarm-policy"),
    path(f"{PROJECT}laps/", slas.LapsAPI.as_view(), name="api-laps"),
    path(f"{PROJECT}target/", slas.TargetAPI.as_view(), name="api-target"),
]
