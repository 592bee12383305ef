"""The report of a candidate on one page, as JSON and as a model card; and the override of its gates."""
