"""The seed: pools with fixed ids and secrets, brought into a database where they are absent, and written from one."""
