"""Which unlabeled examples a person should see first, and why.

Choosing runs in three steps, so that it spreads over shards, threads and machines and stays exact:
`shortlist` keeps the best rows of one shard, `merge` keeps the best of several shortlists, `choose` orders what is left.
"""

from apps.rules.acquisition.candidates import Candidates, CandidateScores, LabeledVectors, merge, shortlist
from apps.rules.acquisition.phase import Phase, PhaseEvidence, evidence_of, phase_of
from apps.rules.acquisition.reasons import (
    NO_MODEL,
    NO_STRATEGY,
    UNINSTALLED,
    UNSCORED,
    Reason,
    reason_of,
    reason_sentence,
    reason_template,
)
from apps.rules.acquisition.registry import DEFAULT, START, STRATEGIES, Need, Strategy
from apps.rules.acquisition.selection import Chosen, choose

__all__ = [
    "DEFAULT",
    "NO_MODEL",
    "NO_STRATEGY",
    "START",
    "STRATEGIES",
    "UNINSTALLED",
    "UNSCORED",
    "CandidateScores",
    "Candidates",
    "Chosen",
    "LabeledVectors",
    "Need",
    "Phase",
    "PhaseEvidence",
    "Reason",
    "Strategy",
    "choose",
    "evidence_of",
    "merge",
    "phase_of",
    "reason_of",
    "reason_sentence",
    "reason_template",
    "shortlist",
]
