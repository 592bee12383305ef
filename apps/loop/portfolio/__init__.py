"""All projects of a person side by side: which of them needs somebody first."""
