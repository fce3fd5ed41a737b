"""Ids, limits and the look of tracked sessions."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from poolhouse.core.device_names import device_name
from poolhouse.core.session_tracking import find_surplus, new_activity, shown_id


@given(st.uuids())
def test_a_shown_id_is_the_session_to_the_base_36(id: UUID):
    """A SessionId has its documented form and stands for one session only (spec/api/10 §1)."""
    shown = shown_id(str(id))
    assert len(shown) == 28
    assert shown.startswith("tkn")
    assert int(shown[3:], 36) == id.int
    assert shown == shown.lower()


@given(st.dictionaries(st.text(max_size=4), st.integers(0, 5), max_size=8), st.integers(1, 6))
def test_those_not_used_for_longest_make_room(last_active: dict[str, int], most: int):
    """One more session makes no more than the maximum, and none goes that was used later than one that stays."""
    surplus = find_surplus(last_active, most)
    stay = last_active.keys() - set(surplus)
    assert len(stay) == min(len(last_active), most - 1)
    assert all(last_active[gone] <= last_active[kept] for gone in surplus for kept in stay)


def test_what_is_not_known_is_called_so():
    """A device that does not tell its name is ``unknown`` (spec/api/10 §1.3)."""
    assert new_activity(1, device_name(""), "::1").device == "unknown"
    assert new_activity(1, device_name("okhttp/4.9"), "::1").device == "okhttp 4, Other"


def test_what_is_kept_of_a_request_is_bounded():
    """Headers of any length leave no more than fits into DeviceType and LastIPAddress."""
    activity = new_activity(1, "a" * 5000, "1" * 500)
    assert (len(activity.device), len(activity.address)) == (1024, 128)
