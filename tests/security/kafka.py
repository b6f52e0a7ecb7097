"""A real broker that wants TLS and a password, and lets each user do what its role may and no more.

Its plain listener, on which this machine's own user is its master, is for these tests' housekeeping alone: what is
tested goes through the others.
"""

import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclBinding, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType
from confluent_kafka.admin._scram import (
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialUpsertion,
)

from agents.local.broker import BrokerOptions, LocalBroker
from agents.local.probe import free_port
from schemas.roles import Operation, Resource, Right, Role, rights_of
from tests.chaos.kafka import SILENT
from tests.security.certificates import Authority, authority

PREFIX: Final = "lianqin."
WITHIN_S: Final = 20.0
_RESOURCES: Final = {
    Resource.TOPIC: ResourceType.TOPIC,
    Resource.GROUP: ResourceType.GROUP,
    Resource.TRANSACTION: ResourceType.TRANSACTIONAL_ID,
    Resource.CLUSTER: ResourceType.BROKER,
}
_OPERATIONS: Final = {
    Operation.READ: AclOperation.READ,
    Operation.WRITE: AclOperation.WRITE,
    Operation.DESCRIBE: AclOperation.DESCRIBE,
    Operation.CREATE: AclOperation.CREATE,
    Operation.DELETE: AclOperation.DELETE,
    Operation.ALTER: AclOperation.ALTER,
    Operation.DESCRIBE_CONFIGS: AclOperation.DESCRIBE_CONFIGS,
    Operation.ALTER_CONFIGS: AclOperation.ALTER_CONFIGS,
}


@dataclass(frozen=True, slots=True)
class SecureKafka:
    """Where it listens, and whom it knows."""

    broker: LocalBroker
    folder: Path
    signs: Authority
    password_port: int
    certificate_port: int
    passwords: dict[str, str] = field(default_factory=dict)

    @property
    def bootstrap(self) -> str:
        """For users with a password, over TLS."""
        return f"127.0.0.1:{self.password_port}"

    @property
    def by_certificate(self) -> str:
        """For users with a certificate."""
        return f"127.0.0.1:{self.certificate_port}"

    def know(self, users: Mapping[str, Iterable[Role]], prefix: str = PREFIX) -> None:
        """Make these users, with passwords of their own and the rights of their roles."""
        mechanism = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        made: list[UserScramCredentialAlteration] = []
        for user in users:
            self.passwords[user] = secrets.token_urlsafe(18)
            made.append(UserScramCredentialUpsertion(user, mechanism, self.passwords[user].encode()))
        # Kept by name until all is answered: a client that is thrown away takes its questions with it.
        admin = AdminClient({**SILENT, "bootstrap.servers": self.broker.bootstrap})
        for done in admin.alter_user_scram_credentials(made).values():
            done.result(WITHIN_S)
        bindings = {
            _binding(user, right, operation)
            for user, roles in users.items()
            for role in roles
            for right in rights_of(role, prefix)
            for operation in right.operations
        }
        for done in admin.create_acls(list(bindings)).values():
            done.result(WITHIN_S)

    def env(self, user: str, **more: str) -> dict[str, str]:
        """The environment of a program that is this user."""
        chosen = {
            "BOOTSTRAP": self.bootstrap,
            "SECURITY__PROTOCOL": "SASL_SSL",
            "SECURITY__USER": user,
            "SECURITY__PASSWORD": self.passwords[user],
            "SECURITY__CA_FILE": str(self.signs.file),
            **more,
        }
        return {f"LIANQIN_KAFKA__{name}": value for name, value in chosen.items()}

    def client(self, user: str, **more: object) -> dict[str, Any]:
        """What librdkafka is told."""
        return {
            **SILENT,
            "bootstrap.servers": self.bootstrap,
            "security.protocol": "SASL_SSL",
            "sasl.mechanisms": "SCRAM-SHA-512",
            "sasl.username": user,
            "sasl.password": self.passwords[user],
            "ssl.ca.location": str(self.signs.file),
            **more,
        }


@contextmanager
def secure_kafka(folder: Path) -> Iterator[SecureKafka]:
    """Start one; leaving stops it."""
    folder.mkdir(parents=True, exist_ok=True)
    signs = authority(folder / "ca.pem", "lianqin tests")
    own = signs.sign(folder / "broker.pem", "broker", "localhost", "127.0.0.1")
    by_password = free_port()
    by_certificate = free_port(but=by_password)
    scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    options = BrokerOptions(
        listeners=(f"SASL_SSL://127.0.0.1:{by_password}", f"SSL://127.0.0.1:{by_certificate}"),
        settings={
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": scram,
            "listener.name.ssl.ssl.client.auth": "required",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(own),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(signs.file),
        },
    )
    with LocalBroker(folder / "kafka", options) as broker:
        yield SecureKafka(broker, folder, signs, by_password, by_certificate)


def _binding(user: str, right: Right, operation: Operation) -> AclBinding:
    return AclBinding(
        _RESOURCES[right.resource],
        right.name,
        ResourcePatternType.PREFIXED if right.prefixed else ResourcePatternType.LITERAL,
        f"User:{user}",
        "*",
        _OPERATIONS[operation],
        AclPermissionType.ALLOW,
    )
