"""From SignUp over HTTP to a mail in a real mailbox and back."""

import html
import pathlib
import re
import time

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Server, make_settings
from tests.delivery.test_smtp import free_port, read_mailboxes, read_text, serving

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


ROLE = "arn:aws:ses:us-east-1:000000000000:identity/"
# As long as subjects may be, in scripts of one to four bytes a letter, to the right and to the left.
LONG = "Ärzte & Söhne 密码 🔑 קוד אימות رمز التحقق " * 3
SUBJECT = f"{LONG} {{####}}"[-140:]
BODY = "<p>Grüße 密码 🔑 קוד <b>{####}</b></p>\n" + "長い行。" * 400
FLOWS = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]


def test_every_kind_of_mail(signed_up):
    """Each arrives with its words in any script, from the pool's address and name, with that for replies; its code works."""
    with serving() as (inbox, port):
        cognito, _, _, _ = signed_up(port)
        words = {"EmailMessage": BODY, "EmailSubject": SUBJECT}
        pool_id = cognito.create_user_pool(
            PoolName="shop",
            AutoVerifiedAttributes=["email"],
            UserPoolTier="PLUS",
            UserPoolAddOns={"AdvancedSecurityMode": "ENFORCED"},
            VerificationMessageTemplate=words,
            AdminCreateUserConfig={"InviteMessageTemplate": words | {"EmailMessage": "{username} " + BODY}},
            EmailConfiguration={
                "EmailSendingAccount": "DEVELOPER",
                "SourceArn": f"{ROLE}source@example.org",
                "From": '"Müller, Söhne & 密码 GmbH – die Apotheke am Marktplatz in Oberammergau" <from@bücher.example>',
                "ReplyToEmailAddress": "reply@example.org",
            },
        )["UserPool"]["Id"]
        client = {"UserPoolId": pool_id, "ClientName": "app", "ExplicitAuthFlows": FLOWS}
        client_id = cognito.create_user_pool_client(**client)["UserPoolClient"]["ClientId"]
        ids, ann = {"UserPoolId": pool_id}, {"ClientId": client_id, "Username": "ann"}

        def last(count: int, to: str = "ann@example.org") -> str:
            deadline = time.monotonic() + 10
            while len(inbox.mails) < count and time.monotonic() < deadline:
                time.sleep(0.01)
            mail = inbox.parsed()
            assert (len(inbox.mails), inbox.mails[-1].rcpt_tos) == (count, [to])
            name = "Müller, Söhne & 密码 GmbH – die Apotheke am Marktplatz in Oberammergau"
            assert read_mailboxes(inbox, "From") == [(name, "from@xn--bcher-kva.example")]
            assert inbox.mails[-1].mail_from == "from@xn--bcher-kva.example"
            assert mail["Reply-To"] == "reply@example.org"
            body = mail.get_body(("html",)).get_content().replace("\r\n", "\n").rstrip("\n")
            quoted = re.search(r"<b>(.+)</b>", body)[1]
            code = html.unescape(quoted)
            assert read_text(inbox, "Subject") == " ".join(SUBJECT.replace("{####}", code).split())
            assert body.endswith(BODY.replace("{####}", quoted))
            assert f"Grüße 密码 🔑 קוד {code}" in mail.get_body(("plain",)).get_content()
            return code

        attributes = [{"Name": "email", "Value": "ann@example.org"}]
        cognito.sign_up(**ann, Password=PASSWORD, UserAttributes=attributes)
        last(1)
        cognito.resend_confirmation_code(**ann)
        cognito.confirm_sign_up(**ann, ConfirmationCode=last(2))
        cognito.forgot_password(**ann)
        cognito.confirm_forgot_password(**ann, ConfirmationCode=last(3), Password=PASSWORD)
        given = {"USERNAME": "ann", "PASSWORD": PASSWORD}
        begin = {"ClientId": client_id, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": given}
        token = {"AccessToken": cognito.initiate_auth(**begin)["AuthenticationResult"]["AccessToken"]}
        cognito.get_user_attribute_verification_code(**token, AttributeName="email")
        cognito.verify_user_attribute(**token, AttributeName="email", Code=last(4))
        cognito.update_user_attributes(**token, UserAttributes=[{"Name": "email", "Value": "new@example.org"}])
        cognito.verify_user_attribute(**token, AttributeName="email", Code=last(5, "new@example.org"))
        cognito.admin_reset_user_password(**ids, Username="ann")
        code = last(6, "new@example.org")
        cognito.confirm_forgot_password(**ann, ConfirmationCode=code, Password=PASSWORD)
        invited = {
            "UserAttributes": [{"Name": "email", "Value": "bob@example.org"}],
            "DesiredDeliveryMediums": ["EMAIL"],
        }
        cognito.admin_create_user(**ids, Username="bob", **invited)
        temporary = last(7, "bob@example.org")
        answer = cognito.initiate_auth(**begin | {"AuthParameters": {"USERNAME": "bob", "PASSWORD": temporary}})
        assert answer["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
        by_mail = {"Message": BODY, "Subject": SUBJECT}
        cognito.set_user_pool_mfa_config(**ids, MfaConfiguration="OPTIONAL", EmailMfaConfiguration=by_mail)
        cognito.admin_set_user_mfa_preference(**ids, Username="ann", EmailMfaSettings={"Enabled": True})
        asked = cognito.initiate_auth(**begin)
        answers = {"USERNAME": "ann", "EMAIL_OTP_CODE": last(8, "new@example.org")}
        answered = {"ClientId": client_id, "ChallengeName": asked["ChallengeName"], "Session": asked["Session"]}
        assert cognito.respond_to_auth_challenge(**answered, ChallengeResponses=answers)["AuthenticationResult"]

        for number, (notify, sender) in enumerate(
            (
                ({"From": "Sicherheit – 安全 <safe@example.org>", "ReplyTo": "Hilfe <help@example.org>"}, "safe"),
                ({}, "source"),
            )
        ):
            warn_of_risk(cognito, pool_id, client_id, notify)
            deadline = time.monotonic() + 10
            while len(inbox.mails) < 9 + number and time.monotonic() < deadline:
                time.sleep(0.01)
            mail = inbox.parsed()
            assert mail["Subject"] == "Blocked 🔑 192.0.2.7"
            assert (inbox.mails[-1].mail_from, inbox.mails[-1].rcpt_tos) == (
                f"{sender}@example.org",
                ["new@example.org"],
            )
            assert mail["Reply-To"] == notify.get("ReplyTo")
            assert read_mailboxes(inbox, "From") == [("Sicherheit – 安全" if notify else "", f"{sender}@example.org")]
            assert mail.get_body(("plain",)).get_content().strip() == "קוד curl 8, Other <ann>"


def warn_of_risk(cognito, pool_id: str, client_id: str, notify: dict[str, str]) -> None:
    """Have a sign-in blocked, and its user told."""
    words = {"Subject": "Blocked 🔑 {ip-address}", "TextBody": "קוד {device-name} <{username}>"}
    block = {"Notify": True, "EventAction": "BLOCK"}
    cognito.set_risk_configuration(
        UserPoolId=pool_id,
        AccountTakeoverRiskConfiguration={
            "Actions": {"LowAction": block, "MediumAction": block, "HighAction": block},
            "NotifyConfiguration": {"SourceArn": f"{ROLE}source@example.org", "BlockEmail": words} | notify,
        },
    )
    context = {"IpAddress": "192.0.2.7", "ServerName": "s", "ServerPath": "/"}
    headers = [{"headerName": "User-Agent", "headerValue": "curl/8.5.0"}]
    with pytest.raises(ClientError, match="Unable to login because of security reasons"):
        cognito.admin_initiate_auth(
            UserPoolId=pool_id,
            ClientId=client_id,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": "ann", "PASSWORD": PASSWORD},
            ContextData=context | {"HttpHeaders": headers},
        )
