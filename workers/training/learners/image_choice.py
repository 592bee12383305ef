"""Images, one label each: a small convolutional network on their pixels."""

from workers.training.learners.choice import CHOICE
from workers.training.learners.learner import Learner
from workers.training.learners.requests import images
from workers.training.models.inputs import ImageInput
from workers.training.models.linear import LinearImage

FULL = {"hidden": 128, "dropout": 0.3, "learning_rate": 2e-3, "epochs": 30, "batch_size": 64}
INCREMENTAL = {"epochs": 6, "least_steps": 100, "learning_rate": 1e-3, "patience": 3, "shrink": 0.9, "perturb": 0.001}
ONLINE = {"epochs": 1, "hidden": 0, "learning_rate": 1.0}  # chosen on the first part of mnist_10k

IMAGE_CHOICE = Learner(
    payload="image",
    answer="choice",
    title="Images, one label each",
    saved_as="image-classification",
    reads_vectors=False,
    input=ImageInput,
    linear=LinearImage,
    payloads=images,
    outputs=CHOICE,
    defaults={"full": FULL, "incremental": INCREMENTAL, "online": ONLINE},
    online_part=500,  # written as text, 64 by 64 colored pixels are 150 kB each
)
