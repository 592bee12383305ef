"""Static files named by their content, those that the desk's scripts import from each other too."""

from django.contrib.staticfiles.storage import HashedFilesMixin
from whitenoise.storage import CompressedManifestStaticFilesStorage


class Hashed(CompressedManifestStaticFilesStorage):
    """A module that imports another by its plain name would be served an old one for as long as browsers keep it.

    Only our own modules are rewritten: what packages bring may name files in its comments.
    """

    support_js_module_import_aggregation = True
    _js_module_import_aggregation_patterns = ("desk/*.js", HashedFilesMixin._js_module_import_aggregation_patterns[1])  # type: ignore[attr-defined]
