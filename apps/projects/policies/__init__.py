"""Versioned policies of a project: a table of edits, read as pydantic, set as rows, as YAML and over the API.

Another one is: a `VersionedPolicy` in apps/rules, a table of `PolicyVersion`, a `PolicyKind`, a form of rows, and three routes.
"""
