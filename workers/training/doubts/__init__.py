"""Labels looked at again: which may be wrong, and what choosing them was worth."""
