"""From SignUp over HTTP to a mail in a real mailbox and back."""

import pathlib
import re
import time

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Server, make_settings
from tests.delivery.test_smtp import free_port, serving

PASSWORD = "Correct-Horse-1"


@pytest.fixture
def signed_up(rsa_keys, tmp_path: pathlib.Path):
    """Sign a user up at a server that mails through a port; give the boto3 client, the client id and the answer."""
    servers: list[Server] = []

    def run(port: int):
        settings = make_settings(
            f"sqlite:///{tmp_path}/poolhouse.db", tmp_path,
            smtp_url=f"smtp://127.0.0.1:{port}", mail_from="Shop <post@example.org>",
        )  # fmt: skip
        servers.append(Server(settings))
        servers[0].start()
        cognito = servers[0].boto()
        pool_id = cognito.create_user_pool(PoolName="shop", AutoVerifiedAttributes=["email"])["UserPool"]["Id"]
        client = cognito.create_user_pool_client(UserPoolId=pool_id, ClientName="app")["UserPoolClient"]
        member = {"ClientId": client["ClientId"], "Username": "ann"}

        def sign_up():
            attributes = [{"Name": "email", "Value": "ann@example.org"}]
            return cognito.sign_up(**member, Password=PASSWORD, UserAttributes=attributes)

        return cognito, pool_id, member, sign_up

    yield run
    for server in servers:
        server.stop()


def test_the_code_in_the_mail_confirms(signed_up):
    """The mail's code confirms the user, and nothing stays in the outbox."""
    with serving() as (inbox, port):
        cognito, pool_id, member, sign_up = signed_up(port)
        details = sign_up()["CodeDeliveryDetails"]
        text = inbox.parsed().get_body(("plain",)).get_content()
        cognito.confirm_sign_up(**member, ConfirmationCode=re.search(r"\d{6}", text)[0])

    assert details == {"Destination": "a***@e***", "DeliveryMedium": "EMAIL", "AttributeName": "email"}
    assert inbox.parsed()["From"] == "Shop <post@example.org>"
    assert cognito.admin_get_user(UserPoolId=pool_id, Username="ann")["UserStatus"] == "CONFIRMED"


def test_a_mail_server_that_is_away_is_told(signed_up):
    """CodeDeliveryFailureException is answered, the user stays created, and can ask again (spec/api/03 §5.9)."""
    port = free_port()
    cognito, pool_id, member, sign_up = signed_up(port)
    with pytest.raises(ClientError) as failure:
        sign_up()

    assert failure.value.response["Error"]["Code"] == "CodeDeliveryFailureException"
    assert cognito.admin_get_user(UserPoolId=pool_id, Username="ann")["UserStatus"] == "UNCONFIRMED"
    with serving(port=port) as (inbox, _):
        cognito.resend_confirmation_code(**member)
    assert len(inbox.mails) == 1


def test_a_mail_server_that_is_away_is_told_to_everybody(signed_up):
    """Whatever operation was to send a mail says that it could not (spec/api/11 §3), and none of them loses anything."""
    cognito, pool_id, member, sign_up = signed_up(free_port())
    with pytest.raises(ClientError):
        sign_up()
    ids = {"UserPoolId": pool_id, "Username": "eve"}
    verified = [{"Name": "email", "Value": "eve@example.org"}, {"Name": "email_verified", "Value": "true"}]
    cognito.admin_create_user(**ids, UserAttributes=verified, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(**ids, Password=PASSWORD, Permanent=True)
    flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    cognito.update_user_pool_client(UserPoolId=pool_id, ClientId=member["ClientId"], ExplicitAuthFlows=flows)
    parameters = {"USERNAME": "eve", "PASSWORD": PASSWORD}
    signed_in = cognito.initiate_auth(
        ClientId=member["ClientId"], AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters
    )
    token = {"AccessToken": signed_in["AuthenticationResult"]["AccessToken"]}
    other = [{"Name": "email", "Value": "other@example.org"}]
    for operation, members in (
        ("AdminCreateUser", {"UserPoolId": pool_id, "Username": "bob", "UserAttributes": other, **BY_MAIL}),
        ("ResendConfirmationCode", member),
        ("ForgotPassword", member | {"Username": "eve"}),
        ("GetUserAttributeVerificationCode", token | {"AttributeName": "email"}),
        ("UpdateUserAttributes", token | {"UserAttributes": other}),
    ):
        with pytest.raises(ClientError) as failure:
            cognito._make_api_call(operation, members)
        assert failure.value.response["Error"]["Code"] == "CodeDeliveryFailureException", operation
    assert cognito.admin_get_user(UserPoolId=pool_id, Username="bob")["UserStatus"] == "FORCE_CHANGE_PASSWORD"
    assert cognito.initiate_auth(ClientId=member["ClientId"], AuthFlow="USER_PASSWORD_AUTH", AuthParameters=parameters)


BY_MAIL = {"DesiredDeliveryMediums": ["EMAIL"]}


def test_what_no_answer_tells_of_waits_for_the_mail_server(signed_up):
    """Operations that declare no CodeDeliveryFailureException succeed, and so does the mail once its server is back."""
    port = free_port()
    cognito, pool_id, member, _ = signed_up(port)
    ids = {"UserPoolId": pool_id, "Username": "eve"}
    verified = [{"Name": "email", "Value": "eve@example.org"}, {"Name": "email_verified", "Value": "true"}]
    cognito.admin_create_user(**ids, UserAttributes=verified, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(**ids, Password=PASSWORD, Permanent=True)
    client = {"UserPoolId": pool_id, "ClientId": member["ClientId"]}
    cognito.update_user_pool_client(**client, PreventUserExistenceErrors="ENABLED")
    told = [
        cognito.forgot_password(ClientId=member["ClientId"], Username=name)["CodeDeliveryDetails"]["Destination"]
        for name in ("eve", "eve@example.org")
    ]
    assert told == ["e***@e***"] * 2
    with serving(port=port) as (inbox, _):
        cognito.admin_update_user_attributes(**ids, UserAttributes=[{"Name": "email", "Value": "new@example.org"}])
        cognito.admin_reset_user_password(**ids | {"Username": make_bob(cognito, pool_id)})
        deadline = time.monotonic() + 10
        while len(inbox.mails) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
    # Not to eve's old address: the first try failed, and before the second one it was hers no more.
    assert sorted(mail.rcpt_tos[0] for mail in inbox.mails) == ["bob@example.org", "new@example.org"]


def make_bob(cognito, pool_id: str) -> str:
    verified = [{"Name": "email", "Value": "bob@example.org"}, {"Name": "email_verified", "Value": "true"}]
    ids = {"UserPoolId": pool_id, "Username": "bob"}
    cognito.admin_create_user(**ids, UserAttributes=verified, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(**ids, Password=PASSWORD, Permanent=True)
    return "bob"
