"""Why a run cannot be trained. Each message is a sentence for the person who started it."""


class NothingToTrain(ValueError):
    """There is no labeled row."""


class OneClassOnly(ValueError):
    """Every row has the same label, so there is nothing to tell apart."""


class RowsUnreadable(ValueError):
    """Some rows are not what their payload kind says."""


class BaseDoesNotFit(ValueError):
    """The model to start from is of another task, or there is none."""


class CheckpointUnreadable(ValueError):
    """The checkpoint is damaged, or belongs to another run."""


class Canceled(Exception):
    """Somebody asked the run to stop."""


class MemoryTooSmall(ValueError):
    """Not even one example at a time fits into the device's memory."""


class TaskNotTuned(ValueError):
    """Only encoders of texts can be fine-tuned."""


class NothingLearnsThis(ValueError):
    """No learner is registered for what is shown and answered."""
