"""Work that somebody owns for a while: names of jobs, leases, retries, locks, heartbeats, and how an attempt ends."""
