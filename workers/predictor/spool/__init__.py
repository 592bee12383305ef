"""What was answered and is not in the database yet, in files of the predictor's own disk."""
