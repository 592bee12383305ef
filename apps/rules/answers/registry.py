"""The kinds of answers by name. A new one is a file beside this one and a line here."""

from apps.rules.answers.boxes import Boxes
from apps.rules.answers.choice import Choice
from apps.rules.answers.choices import Choices
from apps.rules.answers.kinds import AnswerKind
from apps.rules.answers.spans import Spans
from apps.rules.registry import Registry

ANSWER_KINDS = Registry[AnswerKind](
    group="fastloop.answer_kinds", noun="kind of answer", kind=AnswerKind, own=(Choice(), Choices(), Spans(), Boxes())
)
