"""Where events come from while nobody uploads: streams that are read, each event once, into rows, labels and feedback."""
