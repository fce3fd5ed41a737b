"""Messages that no answer tells of survive ``kill -9``, and a mail server that is away."""

import re
import socket
import time

import httpx

from poolhouse.flows.deliveries import LEASE
from tests.delivery.test_smtp import serving
from tests.process.program import Program

PASSWORD = "Correct-Horse-1"


def make_people(program: Program) -> tuple[str, str]:
    """Three users with verified addresses; give the pool and a client that conceals who is there."""
    cognito = program.boto()
    pool_id = cognito.create_user_pool(PoolName="shop", AutoVerifiedAttributes=["email"])["UserPool"]["Id"]
    concealing = {"PreventUserExistenceErrors": "ENABLED"}
    client = cognito.create_user_pool_client(UserPoolId=pool_id, ClientName="app", **concealing)["UserPoolClient"]
    for name in ("ann", "bob", "eve"):
        attributes = {"email": f"{name}@example.org", "email_verified": "true"}
        listed = [{"Name": attribute, "Value": value} for attribute, value in attributes.items()]
        ids = {"UserPoolId": pool_id, "Username": name}
        cognito.admin_create_user(**ids, UserAttributes=listed, MessageAction="SUPPRESS")
        cognito.admin_set_user_password(**ids, Password=PASSWORD, Permanent=True)
    return pool_id, client["ClientId"]


def test_a_kill_while_messages_are_under_way(install, own_database):
    """Another node makes each of them, once, and its code works, though nobody asked again (design: mail delivery)."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        port = silent.getsockname()[1]
        settings = {"SMTP_URL": f"smtp://127.0.0.1:{port}", "TEST_API": "1", "MASTER_KEY": "11" * 32}
        program, other = (install(own_database, name, **settings) for name in ("killed", "other"))
        program.start()
        pool_id, client_id = make_people(program)
        cognito = program.boto()
        cognito.admin_reset_user_password(UserPoolId=pool_id, Username="ann")
        details = cognito.forgot_password(ClientId=client_id, Username="eve")["CodeDeliveryDetails"]
        assert details["Destination"] == "e***@e***"
        connections = [silent.accept()[0] for _ in range(2)]  # both are under way
        program.kill()
        for connection in connections:
            connection.close()
    with serving(port=port) as (inbox, _):
        cognito = other.start().boto()
        httpx.post(f"{other.url}/test/clock", json={"advance": LEASE / 1000 + 1}).raise_for_status()
        cognito.admin_reset_user_password(UserPoolId=pool_id, Username="bob")
        deadline = time.monotonic() + 30
        while len(inbox.mails) < 3 and time.monotonic() < deadline:
            time.sleep(0.02)
        code = next(
            re.search(r"code is (\d{6})", mail.content.decode())[1]
            for mail in inbox.mails
            if mail.rcpt_tos == ["eve@example.org"]
        )
        member = {"ClientId": client_id, "Username": "eve", "Password": "Battery-Staple-2"}
        cognito.confirm_forgot_password(**member, ConfirmationCode=code)
        assert other.stop() == 0
    assert sorted(to for mail in inbox.mails for to in mail.rcpt_tos) == [
        "ann@example.org", "bob@example.org", "eve@example.org",
    ]  # fmt: skip
