"""Rows of a table, one label each: numbers, marks of missing cells and embedded categories."""

from workers.training.learners.choice import CHOICE
from workers.training.learners.learner import Learner
from workers.training.learners.requests import table_rows, table_rows_fit
from workers.training.models.inputs import TabularInput
from workers.training.models.linear import HashedInput

FULL = {"hidden": 128, "dropout": 0.2, "learning_rate": 2e-3, "epochs": 15, "batch_size": 256, "label_smoothing": 0.0}
INCREMENTAL = {"epochs": 4, "least_steps": 100, "learning_rate": 5e-4, "patience": 3, "shrink": 0.9, "perturb": 0.001}
ONLINE = {"epochs": 1, "hidden": 0, "learning_rate": 0.5}  # chosen on the first parts of elec2 and bank_marketing

TABULAR_CHOICE = Learner(
    payload="tabular",
    answer="choice",
    title="Rows of a table, one label each",
    saved_as="tabular-classification",
    reads_vectors=False,
    input=TabularInput,
    linear=HashedInput,
    payloads=table_rows,
    fits=table_rows_fit,
    outputs=CHOICE,
    defaults={"full": FULL, "incremental": INCREMENTAL, "online": ONLINE},
)
