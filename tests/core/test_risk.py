"""Risk configurations, the words for devices, and what applications tell of them."""

import base64
import hmac
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from poolhouse.core.auth_events import is_enforced, is_kept, shown_by
from poolhouse.core.device_names import device_name
from poolhouse.core.risk import is_blocked
from poolhouse.core.sign_in import Progress, Proof
from poolhouse.core.user_context import UserContext, read_context, read_encoded, read_user_context
from poolhouse.model import (
    AdvancedSecurityAdditionalFlowsType,
    AdvancedSecurityEnabledModeType,
    AdvancedSecurityModeType,
    ChallengeNameType,
    ContextDataType,
    HttpHeader,
    InvalidParameterException,
    RiskConfigurationType,
    RiskExceptionConfigurationType,
    UserContextDataType,
    UserPoolAddOnsType,
)
from tests.storage.builders import client, pool, secret

PASSWORD, CUSTOM = ChallengeNameType.PASSWORD, ChallengeNameType.CUSTOM_CHALLENGE


def blocking(*ranges):
    return RiskConfigurationType(
        risk_exception_configuration=RiskExceptionConfigurationType(blocked_ip_range_list=list(ranges))
    )


@pytest.mark.parametrize(
    ("address", "blocked"),
    [
        ("10.1.2.3", True),
        ("11.1.2.3", False),
        ("192.0.2.7", True),
        ("192.0.2.8", False),
        ("::ffff:10.0.0.1", True),
        ("2001:db8::1", True),
        ("2001:db9::1", False),
        ("", False),
        ("nonsense", False),
    ],
)
def test_blocked_ranges(address, blocked):
    """IPv4, IPv6 and IPv4 in IPv6's clothes; what is no address is in no range (spec/api/07 §2)."""
    ranges = blocking("10.0.0.5/8", "192.0.2.7/32", "2001:db8::/32")
    assert is_blocked(ranges, address) is blocked
    assert not is_blocked(None, address)
    assert not is_blocked(RiskConfigurationType(), address)


def test_modes():
    """Custom authentication has a switch of its own, which counts where threat protection is on (spec/api/07 §1)."""

    def of(mode, custom=None):
        flows = AdvancedSecurityAdditionalFlowsType(custom_auth_mode=custom) if custom else None
        made = pool()
        add_ons = UserPoolAddOnsType(advanced_security_mode=mode, advanced_security_additional_flows=flows)
        made = replace(made, settings=replace(made.settings, user_pool_add_ons=add_ons))
        return is_kept(made), is_enforced(made, PASSWORD), is_enforced(made, CUSTOM)

    mode, custom = AdvancedSecurityModeType, AdvancedSecurityEnabledModeType
    assert of(mode.OFF, custom.ENFORCED) == (False, False, False)
    assert of(mode.AUDIT) == (True, False, False)
    assert of(mode.AUDIT, custom.ENFORCED) == (True, False, True)
    assert of(mode.ENFORCED) == (True, True, False)
    assert of(mode.ENFORCED, custom.AUDIT) == (True, True, False)
    assert (is_kept(pool()), is_enforced(pool(), PASSWORD)) == (False, False)


def test_shown():
    """A sign-in has shown a password and a factor; what is neither has no word (spec/api/07 §5)."""
    began = Progress(method=PASSWORD, event_id="e")
    named = began.having(Proof.IDENTITY)
    assert shown_by(began) == ()
    assert shown_by(began, PASSWORD) == (("Password", "Failure"),)
    assert shown_by(named) == (("Password", "Success"),)
    assert shown_by(named, ChallengeNameType.SMS_MFA) == (("Password", "Success"), ("Mfa", "Failure"))
    assert shown_by(named, ChallengeNameType.NEW_PASSWORD_REQUIRED) == (("Password", "Success"),)
    assert shown_by(named.having(Proof.SECOND_FACTOR)) == (("Password", "Success"), ("Mfa", "Success"))
    assert shown_by(Progress(method=CUSTOM, event_id="e").having(Proof.IDENTITY)) == ()


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 "
                "Safari/537.36"
            ),
            "Chrome 126, Windows 10",
        ),
        (
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 "
                "Safari/537.36 Edg/126.0.2592.87"
            ),
            "Edge 126, Windows 10",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0", "Firefox 127, Linux"),
        (
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 "
                "Safari/605.1.15"
            ),
            "Safari 17, Mac OS X",
        ),
        (
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
                "Version/17.5 Mobile/15E148 Safari/604.1"
            ),
            "Safari 17, iOS 17",
        ),
        (
            (
                "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile "
                "Safari/537.36"
            ),
            "Chrome 126, Android 14",
        ),
        ("Boto3/1.34.1 md/Botocore#1.34.1 os/linux#6.1", "Boto3 1, Other"),
        ("curl/8.5.0", "curl 8, Other"),
        ("", "Other, Other"),
        ("Mozilla/5.0", "Other, Other"),
    ],
)
def test_device_names(agent, name):
    """Program and system, each ``Other`` where the user agent does not tell (the documented example's words)."""
    assert device_name(agent) == name


@settings(max_examples=50)
@given(st.text())
def test_any_user_agent_has_a_name(agent):
    """No text is refused, and none makes a long name."""
    assert len(device_name(agent)) < 100


def encoded(payload, key, version="JS20171115"):
    text = json.dumps(payload)
    signature = base64.b64encode(hmac.digest(key.encode(), (version + text).encode(), "sha256")).decode()
    whole = {"payload": text, "signature": signature, "version": version}
    return base64.encodebytes(json.dumps(whole).encode()).decode()


def test_encoded_data():
    """What the library gathers counts where its signature is right, for this client and pool (spec/api/07 §4)."""
    app = client("app")
    payload = {"contextData": {"ClientTimezone": "01:00", "DeviceName": "x\n"}, "userPoolId": app.pool_id}
    assert read_encoded(app, encoded(payload, "app")) == payload["contextData"]
    told = read_user_context(app, UserContextDataType(encoded_data=encoded(payload, "app")))
    assert told == UserContext(timezone="01:00")
    for bad in (
        encoded(payload, "other"),
        encoded(payload | {"userPoolId": "other"}, "app"),
        encoded({"contextData": []}, "app"),
        base64.b64encode(b'{"payload":"[","signature":"","version":""}').decode(),
        base64.b64encode(b"[" * 100_000).decode(),
        "ÿ",
        "!",
        "",
    ):
        assert read_encoded(app, bad) == {}


def test_user_context_data():
    """An app client's word for the address counts where it has a secret and the setting (spec/api/07 §4)."""
    open_, closed = client("app"), client("app", secrets=(secret(),))
    trusted = replace(closed, settings=replace(closed.settings, enable_propagate_additional_user_context_data=True))
    data = UserContextDataType(ip_address="2001:DB8:0::1")
    assert [read_user_context(each, data).address for each in (open_, closed, trusted)] == ["", "", "2001:db8::1"]
    bad = UserContextDataType(ip_address="1.2.3")
    assert read_user_context(open_, bad) == UserContext()
    with pytest.raises(InvalidParameterException):
        read_user_context(trusted, bad)


def test_context_data():
    """An administrator's application tells the address and the headers of its user's request."""
    headers = [HttpHeader(header_name="User-Agent", header_value="curl/8.5.0"), HttpHeader()]
    data = ContextDataType(ip_address="192.0.2.1", server_name="s", server_path="/", http_headers=headers)
    assert read_context(client("app"), data) == UserContext(address="192.0.2.1", device="curl 8, Other")
    with pytest.raises(InvalidParameterException):
        read_context(client("app"), replace(data, ip_address="x"))
