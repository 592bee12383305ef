"""The registry of a project's models: names that point at versions, who may set them, who approves releases."""
