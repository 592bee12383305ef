#!/usr/bin/env python
"""Django's command line. Without DATABASE_URL and REDIS_URL the embedded servers run for as long as the command does."""

import sys

if __name__ == "__main__":
    from fastloop_console.machine.commands import main

    sys.exit(main())
