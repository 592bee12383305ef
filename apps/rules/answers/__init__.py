"""What a person can say about an example, by kind of answer: how it is checked, compared, merged and read aloud.

A value is JSON. Offsets of spans count code points, boxes are in pixels of the original image (COCO: x, y, width, height).
"""

from apps.rules.answers.boxes import Boxes
from apps.rules.answers.choice import Choice
from apps.rules.answers.choices import Choices
from apps.rules.answers.kinds import AnswerKind, AnswerRefused, Value
from apps.rules.answers.registry import ANSWER_KINDS
from apps.rules.answers.spans import Spans

__all__ = ["ANSWER_KINDS", "AnswerKind", "AnswerRefused", "Boxes", "Choice", "Choices", "Spans", "Value"]
