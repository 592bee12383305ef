"""What Label Studio's labeling configuration says, and one for a project's labels."""

from apps.rules.studio.config import MOST_CONFIG, StudioControl, StudioRefused, config_of, control_of

__all__ = ["MOST_CONFIG", "StudioControl", "StudioRefused", "config_of", "control_of"]
