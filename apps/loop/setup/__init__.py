"""A new project: the project itself and what its stages begin with."""
