"""How far people agree with each other, and when their answers become one label.

Every coefficient is `Coefficient`: where it is undefined `value` is None and `reason` says why, never NaN and never 1.
"""

from apps.rules.agreement.cohen import cohen
from apps.rules.agreement.fleiss import fleiss
from apps.rules.agreement.krippendorff import alpha, alpha_by, alpha_per_label, alpha_per_part
from apps.rules.agreement.pairwise import Pair, Partner, pairs_of, partners_of
from apps.rules.agreement.shares import Share, difference, share_of
from apps.rules.agreement.votes import Coefficient, Votes

__all__ = [
    "Coefficient",
    "Pair",
    "Partner",
    "Share",
    "Votes",
    "alpha",
    "alpha_by",
    "alpha_per_label",
    "alpha_per_part",
    "cohen",
    "difference",
    "fleiss",
    "pairs_of",
    "partners_of",
    "share_of",
]
