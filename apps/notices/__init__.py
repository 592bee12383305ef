"""What people must hear of a project: one notice a cause, behind the bell and by mail, until somebody has dealt with it."""
