"""The words of the login pages. ``en`` is the catalogue: every other language has some or all of its keys."""
