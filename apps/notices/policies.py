"""Who a project's notices go to, as one of its versioned policies."""

from apps.audit.verbs import Verb
from apps.notices.models import NoticePolicyVersion
from apps.projects.policies.kinds import PolicyKind
from apps.rules.notices import kept_notice_policy, notice_policy_of, standing_notices
from apps.rules.sentences import sentence

NOTICE_POLICY = PolicyKind(
    table=NoticePolicyVersion,
    name="notice policy",
    verb=Verb.NOTICE_POLICY_SET,
    checked=notice_policy_of,
    kept=kept_notice_policy,
    standing=standing_notices,
    words=lambda by, number, policy: sentence(
        "{by} set notice policy {number}: who is told of what.", by=by, number=number
    ),
)
