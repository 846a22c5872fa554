"""Unsigned JSON Web Tokens, which Kafka's unsecured OAUTHBEARER accepts, and an identity provider that issues them."""

from __future__ import annotations

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


def token(user: str, seconds: float = 3600) -> str:
    """A token of a user that is valid from now on for this time."""
    now = time.time()
    claims = {"sub": user, "iat": now, "exp": now + seconds}
    parts = [{"alg": "none"}, claims]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, ""])


class IdentityProvider:
    """A token endpoint for the client `client_id` with `client_secret`. It counts its requests."""

    client_id = "flights-reader"
    client_secret = "idp-topsecret"

    def __init__(self, user: str, seconds: float = 3600) -> None:
        self.requests: list[str] = []
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                provider.requests.append(body)
                expected = base64.b64encode(f"{provider.client_id}:{provider.client_secret}".encode()).decode()
                if self.headers["Authorization"] == f"Basic {expected}":
                    answer: dict[str, Any] = {"access_token": token(user, seconds), "token_type": "Bearer", "expires_in": seconds}
                    self.send_response(200)
                else:
                    answer = {"error": "invalid_client"}
                    self.send_response(401)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/token"

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def keys(self, secret: str | None = None) -> dict[str, Any]:
        """The keys of a client."""
        return {
            "sasl_oauthbearer_token_endpoint_url": self.url,
            "sasl_oauthbearer_client_credentials_client_id": self.client_id,
            "sasl_oauthbearer_client_credentials_client_secret": secret or self.client_secret,
        }
