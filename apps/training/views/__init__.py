"""Pages of training, one module each; `urls.py` joins their addresses."""
