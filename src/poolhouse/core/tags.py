"""Tags of user pools (spec/api/02 §1.4, §10)."""

import re
from collections.abc import Mapping

MAX_TAGS = 50
_KEY = re.compile(r"[a-zA-Z0-9 _.:/=+\-@]{1,128}", re.ASCII)
_VALUE = re.compile(r"[a-zA-Z0-9 _.:/=+\-@]{0,256}", re.ASCII)


def find_tag_fault(tags: Mapping[str, str]) -> str | None:
    """Return what is wrong with the tags of a pool, None where nothing is."""
    if len(tags) > MAX_TAGS:
        return f"A user pool can have at most {MAX_TAGS} tags."
    for key, value in tags.items():
        if key.lower().startswith("aws:"):
            return "Tag keys cannot start with the reserved prefix aws:."
        if not _KEY.fullmatch(key):
            return f"The tag key {key} is not valid."
        if not _VALUE.fullmatch(value):
            return f"The value of the tag {key} is not valid."
    return None
