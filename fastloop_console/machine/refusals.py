"""Why a command of the console does not begin or go on. Each is one sentence that says what to do."""


class CannotStart(RuntimeError):
    """The sentence names who or what is in the way."""


class SettingInvalid(CannotStart):
    """A variable of the environment holds what it cannot mean."""


class HomeUnusable(CannotStart):
    """Nothing can be written below FASTLOOP_HOME."""


class ServersUnavailable(CannotStart):
    """The embedded PostgreSQL or Redis cannot run here."""


class DatabaseBehind(CannotStart):
    """A database of the user's own lacks migrations, or does not answer."""
