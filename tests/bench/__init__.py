"""Benches: each module has `run(say) -> dict`, called by `manage.py bench NAME`. They start their own servers and stop them."""
