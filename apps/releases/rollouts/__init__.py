"""The way of a version to its users: policy, steps, looks; their page and API."""
