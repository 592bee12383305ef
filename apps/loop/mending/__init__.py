"""What an alarm does: roll back, ask for labels of the drifted slice, train on them, release, and close with the figure.

Each link stands in one module and is driven by its row: whoever looks next goes on, on any machine, and nothing happens twice.
"""
