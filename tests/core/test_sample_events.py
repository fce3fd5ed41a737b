"""Events that operators try their functions with."""

from poolhouse.core.sample_events import SOURCES, sample_request
from poolhouse.core.trigger_events import MEMBERS, trigger_of


def test_every_source_has_a_sample():
    """Each trigger has its sources, and each of them a request of its own kind."""
    assert {trigger_of(source) for source in SOURCES} == set(MEMBERS)
    assert len(set(SOURCES)) == len(SOURCES)
    for source in SOURCES:
        request = sample_request(source)
        unknown = source.startswith(("UserMigration", "InboundFederation"))
        assert (request.get("userAttributes") is not None) is not unknown
    assert "sub" not in sample_request("PreSignUp_SignUp")["userAttributes"]
    assert "password" in sample_request("UserMigration_Authentication")
    assert sample_request("UserMigration_ForgotPassword") == {"validationData": None, "userAttributes": None}
