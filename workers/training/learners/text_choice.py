"""Texts, one label each: sentence vectors and a small head; the encoder itself can be fine-tuned."""

from workers.training.learners.choice import CHOICE
from workers.training.learners.learner import Learner
from workers.training.learners.requests import texts
from workers.training.models.inputs import TextInput
from workers.training.models.linear import LinearText

# Chosen on the training rows of public sets only, as those of the other learners are.
FULL = {"hidden": 512, "dropout": 0.5, "learning_rate": 4e-3, "epochs": 15, "batch_size": 256, "patience": 15}
INCREMENTAL = {
    "epochs": 4,
    "least_steps": 32,
    "learning_rate": 1e-3,
    "patience": 3,
    "shrink": 0.9,
    "perturb": 0.001,
    "replay_size": 2000,
}
FINE_TUNE = {
    "epochs": 4,
    "least_steps": 0,
    "batch_size": 32,
    "learning_rate": 2e-3,
    "hidden": 256,
    "dropout": 0.1,
    "patience": 2,
    "report_every_s": 2.0,
}
ONLINE = {"epochs": 1, "hidden": 0, "learning_rate": 1.0}  # chosen on the first part of sms_spam

TEXT_CHOICE = Learner(
    payload="text",
    answer="choice",
    title="Texts, one label each",
    saved_as="text-classification",
    reads_vectors=True,
    input=TextInput,
    linear=LinearText,
    payloads=texts,
    outputs=CHOICE,
    defaults={"full": FULL, "incremental": INCREMENTAL, "fine-tune": FINE_TUNE, "online": ONLINE},
    first_encoder="all-minilm-l6-v2",
)
