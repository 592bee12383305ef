"""The six stages as cards: one number, one age, one state, one button each. Pure: facts in, cards out."""
