"""What flags and settings of ``poolhouse serve`` do to the answers."""

import asyncio
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator

import httpx
import jwt
import pytest
import uvicorn

from poolhouse.cli.listening import DRAIN_SECONDS, server_config
from poolhouse.settings import Settings
from tests.conftest import PASSWORD, free_port


def wait_for(url: str, **options) -> None:
    """Wait for the first answer."""
    deadline = time.monotonic() + 60
    while True:
        try:
            assert httpx.get(f"{url}/health/ready", timeout=60, **options).status_code == 200
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        else:
            return


def test_https(install, tmp_path, certificate):
    """With a certificate the server speaks TLS only, cookies are Secure, the issuer is https; no idle client delays its end."""
    cert, key = certificate
    program = install(f"sqlite:///{tmp_path}/data/poolhouse.db", TLS_CERT=cert, TLS_KEY=key, WORKERS="2")
    url = f"https://localhost:{program.port}"
    program.begin()
    context = ssl.create_default_context(cafile=cert)
    wait_for(url, verify=context)
    cognito = program.boto(endpoint_url=url, verify=cert)
    pool_id = cognito.create_user_pool(PoolName="p")["UserPool"]["Id"]
    cognito.create_user_pool_domain(UserPoolId=pool_id, Domain="tls")
    client = cognito.create_user_pool_client(
        UserPoolId=pool_id,
        ClientName="c",
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthFlows=["code"],
        AllowedOAuthScopes=["openid"],
        CallbackURLs=["https://app.example/cb"],
        SupportedIdentityProviders=["COGNITO"],
    )["UserPoolClient"]["ClientId"]
    with httpx.Client(verify=context) as browser:
        asked = {"client_id": client, "response_type": "code", "redirect_uri": "https://app.example/cb"}
        cookies = browser.get(f"{url}/auth/tls/login", params=asked).headers.get_list("set-cookie")
        assert cookies
        assert [cookie for cookie in cookies if "; Secure" not in cookie] == []
        document = browser.get(f"{url}/{pool_id}/.well-known/openid-configuration").json()
    assert document["issuer"] == f"{url}/{pool_id}"
    assert document["authorization_endpoint"] == f"{url}/auth/tls/oauth2/authorize"
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://localhost:{program.port}/health/ready")
    assert program.out("env", "--format", "dotenv").startswith(f"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER={url}\n")
    began = time.monotonic()
    assert program.stop() == 0
    assert time.monotonic() - began < DRAIN_SECONDS / 2, "the connection that boto3 keeps was waited for"


def test_old_tls_is_refused(install, tmp_path, certificate):
    """TLS 1.1 and ciphers without forward secrecy are not spoken."""
    cert, key = certificate
    program = install(f"sqlite:///{tmp_path}/data/poolhouse.db", TLS_CERT=cert, TLS_KEY=key)
    program.begin()
    wait_for(f"https://localhost:{program.port}", verify=ssl.create_default_context(cafile=cert))
    context = ssl.create_default_context(cafile=cert)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    for ciphers, spoken in (("ECDHE+AESGCM", True), ("ECDHE+AES+SHA1", False)):
        context.set_ciphers(ciphers)
        with socket.create_connection(("127.0.0.1", program.port)) as plain:
            try:
                with context.wrap_socket(plain, server_hostname="localhost") as secure:
                    assert secure.version() == "TLSv1.2"
                    accepted = True
            except ssl.SSLError:
                accepted = False
        assert accepted is spoken, ciphers
    assert program.stop() == 0


@pytest.mark.parametrize(
    ("cert", "key", "reason"),
    [("nothing", "nothing", "No such file or directory"), ("cert.pem", "cert.pem", ""), ("other", "other", "")],
)
def test_unusable_certificates(install, tmp_path, certificate, cert, key, reason):
    """A certificate or key that cannot be used is named before anything is opened."""
    (tmp_path / "other").write_text("no certificate")
    program = install(f"sqlite:///{tmp_path}/data/poolhouse.db")
    files = {"POOLHOUSE_TLS_CERT": str(tmp_path / cert), "POOLHOUSE_TLS_KEY": str(tmp_path / key)}
    told = program.refusal("serve", **files)
    assert told.startswith(f"poolhouse: cannot use the certificate {tmp_path / cert} with the key {tmp_path / key}: ")
    assert reason in told
    assert not told.endswith(("None", ": "))
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_flags_and_file_reach_every_worker(install, tmp_path, workers):
    """Flags win over the environment, the file is read, and what they say is in discovery and tokens."""
    file = tmp_path / "poolhouse.toml"
    file.write_text('issuer = "{public_url}/of/{region}/{pool_id}"\nregion = "eu-west-1"\n')
    program = install(f"sqlite:///{tmp_path}/wrong/poolhouse.db", PORT="1", PUBLIC_URL="https://wrong.example")
    program.port = free_port()
    program.begin(
        *("--config", str(file), "--host", "127.0.0.1", "--port", str(program.port), "--workers", workers),
        *("--database", f"sqlite:///{tmp_path}/right/poolhouse.db", "--public-url", "https://id.example.org/base/"),
    )
    program.wait_until_ready()
    assert (tmp_path / "right" / "poolhouse.db").exists()
    assert not (tmp_path / "wrong").exists()
    url = f"http://localhost:{program.port}"
    cognito = program.boto(endpoint_url=url, region_name="eu-west-1")
    pool_id = cognito.create_user_pool(PoolName="p")["UserPool"]["Id"]
    issuer = f"https://id.example.org/base/of/eu-west-1/{pool_id}"
    for _ in range(6):
        document = httpx.get(f"{url}/{pool_id}/.well-known/openid-configuration").json()
        assert document["issuer"] == issuer
        assert document["jwks_uri"].startswith("https://id.example.org/base/")
    cognito.admin_create_user(UserPoolId=pool_id, Username="ann", MessageAction="SUPPRESS")
    cognito.admin_set_user_password(UserPoolId=pool_id, Username="ann", Password=PASSWORD, Permanent=True)
    flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    client = cognito.create_user_pool_client(UserPoolId=pool_id, ClientName="c", ExplicitAuthFlows=flows)
    tokens = cognito.initiate_auth(
        ClientId=client["UserPoolClient"]["ClientId"],
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "ann", "PASSWORD": PASSWORD},
    )["AuthenticationResult"]
    assert jwt.decode(tokens["AccessToken"], options={"verify_signature": False})["iss"] == issuer
    assert program.stop() == 0


# Forwarding headers


class Echo:
    """Tells whom the HTTP server takes the caller for."""

    async def __call__(self, scope, receive, send) -> None:
        told = json.dumps([scope["client"][0], scope["scheme"]]).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": told})


@pytest.fixture
def echo() -> Iterator:
    """Serve Echo with the settings of a test; give the function that asks it."""
    servers: list[tuple[uvicorn.Server, threading.Thread]] = []

    def ask(settings: Settings, headers: dict[str, str]) -> list[str]:
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(server_config(settings, Echo(), lifespan="off"))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
        thread.start()
        servers.append((server, thread))
        return httpx.get(f"http://127.0.0.1:{listener.getsockname()[1]}/", headers=headers).json()

    yield ask
    for server, thread in servers:
        server.should_exit = True
        thread.join(20)


@pytest.mark.parametrize(
    ("proxies", "seen"),
    [
        ([], ["127.0.0.1", "http"]),
        (["192.0.2.1", "10.0.0.0/8"], ["127.0.0.1", "http"]),
        (["127.0.0.1"], ["198.51.100.7", "https"]),
        (["127.0.0.0/8"], ["198.51.100.7", "https"]),
        (["127.0.0.1", "198.51.100.0/24"], ["203.0.113.9", "https"]),
    ],
)
def test_forwarding_headers_count_from_trusted_peers_only(echo, proxies, seen):
    """The caller is the last address that no trusted proxy has; from anybody else the headers mean nothing."""
    headers = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7", "X-Forwarded-Proto": "https"}
    assert echo(Settings(trusted_proxies=proxies), headers) == seen
