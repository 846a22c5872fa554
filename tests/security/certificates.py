"""Certificates for tests, created with openssl."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def openssl(*arguments: str | Path) -> None:
    """Run openssl to its end."""
    program = shutil.which("openssl")
    assert program, "openssl is missing: run tests/foreign/install.sh"
    subprocess.run([program, *arguments], check=True, capture_output=True)


@dataclass(frozen=True)
class Authority:
    """An authority: its certificate in PEM, and its key."""

    certificate: Path
    key: Path

    @classmethod
    def make(cls, folder: Path) -> Authority:
        """Create an authority in the directory."""
        folder.mkdir(parents=True, exist_ok=True)
        certificate, key = folder / "authority.pem", folder / "authority.key"
        request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=authority"]
        openssl(*request, "-keyout", key, "-out", certificate)
        return cls(certificate, key)

    def identity(self, name: str) -> Path:
        """A file with a key and a certificate for localhost, or for the client of that name."""
        folder = self.certificate.parent
        request, key, certificate = folder / f"{name}.csr", folder / f"{name}.key", folder / f"{name}.crt"
        names = folder / f"{name}.cnf"
        names.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n", encoding="utf-8")
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        issuer: list[str | Path] = ["-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial"]
        openssl("x509", "-req", "-in", request, *issuer, "-days", "2", "-extfile", names, "-out", certificate)
        both = folder / f"{name}.pem"
        both.write_text(key.read_text(encoding="utf-8") + certificate.read_text(encoding="utf-8"), encoding="utf-8")
        return both
