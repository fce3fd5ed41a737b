"""``make bench``: what the server does over real HTTP, as ratios to what this machine can do, in one run."""
