"""Certificates for one run: who signs, the broker's own, a client's, and those of somebody else."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_LONG = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Authority:
    """Who signs certificates; `file` is what others trust it by."""

    file: Path
    _key: ec.EllipticCurvePrivateKey
    _name: x509.Name

    def sign(self, file: Path, name: str, *hosts: str, password: str | None = None) -> Path:
        """A PEM file with a key, behind a password, and the certificate; `hosts`: for whom a server may speak."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_named(name), self._name, key)
        if hosts:
            builder = builder.add_extension(x509.SubjectAlternativeName([_host(one) for one in hosts]), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        file.write_bytes(_private(key, password) + _public(certificate) + self.file.read_bytes())
        return file


def authority(file: Path, name: str) -> Authority:
    """A new one."""
    key = ec.generate_private_key(ec.SECP256R1())
    is_one = x509.BasicConstraints(ca=True, path_length=None)
    certificate = _builder(_named(name), _named(name), key).add_extension(is_one, critical=True)
    file.write_bytes(_public(certificate.sign(key, hashes.SHA256())))
    return Authority(file, key, _named(name))


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _LONG)
        .not_valid_after(now + _LONG)
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _host(name: str) -> x509.GeneralName:
    return x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name)


def _private(key: ec.EllipticCurvePrivateKey, password: str | None) -> bytes:
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    locked: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if password is not None:
        locked = serialization.BestAvailableEncryption(password.encode())
    return key.private_bytes(pem, pkcs8, locked)


def _public(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
