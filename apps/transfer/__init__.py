"""Answers, labels and guesses on their way in and out. What stands in a file is declared in `rows`, how in `formats`."""
