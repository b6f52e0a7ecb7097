"""The way to the brokers: what clients are told, and whether the brokers let us in; if not, why, in one line."""

import ssl
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    BrokerResponseError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    KafkaConnectionError,
    KafkaError,
    NotCoordinatorForGroupError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    UnknownTopicOrPartitionError,
    UnsupportedSaslMechanismError,
)
from pydantic import SecretStr

from agents.errors import UserError
from agents.settings import SecuritySettings
from streams.ownership.cluster import Cluster

DENIED: Final = (
    TopicAuthorizationFailedError,
    GroupAuthorizationFailedError,
    ClusterAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
"""What a broker answers to who may not do it."""
ASK: Final = "LIANQIN_KAFKA__SECURITY__"
GIVE: Final = f"give it the rights of its role, as `lianqin topics --acls` prints them, or take another {ASK}USER"
_ANSWER_WITHIN_MS: Final = 20_000
_PORTS: Final = 1 << 16


def cluster_at(bootstrap: str, security: SecuritySettings) -> Cluster:
    """The cluster as this user of it; `UserError` where the address is none, or a file that is named cannot be used."""
    for address in bootstrap.split(","):
        _check(address)
    told: dict[str, object] = {}
    if security.protocol != "PLAINTEXT":
        told["security_protocol"] = security.protocol
    if security.protocol.endswith("SSL"):
        told["ssl_context"] = _context(security)
    if security.protocol.startswith("SASL"):
        told["sasl_mechanism"] = security.mechanism
        told["sasl_plain_username"] = security.user
        told["sasl_plain_password"] = _text(security.password)
    return Cluster(bootstrap, told)


def _check(address: str) -> None:
    """Look before a client does, which tells of a wrong address by whatever then goes wrong."""
    try:
        ((host, port, _),) = collect_hosts(address)
        host.encode("idna")
        is_one = port < _PORTS
    except ValueError:
        is_one = False
    if not is_one:
        msg = f"{address.strip()!r} is no broker's address: write LIANQIN_KAFKA__BOOTSTRAP as kafka.example:9092"
        raise UserError(msg)


async def knock(cluster: Cluster) -> None:
    """Return when a broker lets us in. `UserError` says why none does; `KafkaConnectionError`: nobody is there."""
    said = f"nobody is on {cluster.bootstrap}"
    for host, port, _ in collect_hosts(cluster.bootstrap):
        try:
            conn = await create_conn(host, port, request_timeout_ms=_ANSWER_WITHIN_MS, **cluster.security)
        except (KafkaError, OSError, TimeoutError) as error:
            refusal = _refusal(error, cluster.security)
            if refusal is not None:
                msg = f"{host}:{port} {refusal}"
                raise UserError(msg) from error
            if isinstance(error, KafkaConnectionError | ConnectionResetError | TimeoutError):
                said = f"{host}:{port} says nothing, or closes the connection: does it speak as {ASK}PROTOCOL says?"
        else:
            conn.close()
            return
    raise KafkaConnectionError(said)


def _refusal(error: Exception, security: Mapping[str, object]) -> str | None:
    """What a broker's refusal means; None where it is none, and somebody else may answer, or the same one later."""
    match error:
        case ssl.SSLCertVerificationError():
            told = f"cannot be trusted ({error.verify_message}): correct {ASK}CA_FILE, or the host's name"
        case ssl.SSLError():
            told = f"does not speak TLS as it should ({error.reason}): correct {ASK}PROTOCOL, or the certificates"
        case SaslAuthenticationFailed():
            told = f"refuses the user or password: correct {ASK}USER and {ASK}PASSWORD"
        case UnsupportedSaslMechanismError():
            told = f"does not know {security['sasl_mechanism']}: correct {ASK}MECHANISM"
        case BrokerResponseError():
            told = f"lets nobody in so ({type(error).__name__}): correct {ASK}PROTOCOL"
        case _:
            return None
    return told


async def see(cluster: Cluster, topics: Collection[str], groups: Collection[str] = ()) -> None:
    """Return when this user may see all of these; `UserError` names the topic that it may not, or that is not there."""
    admin = AIOKafkaAdminClient(**cluster.options)
    await admin.start()
    try:
        for topic in await admin.describe_topics(sorted(topics)):
            if topic["error_code"] == TopicAuthorizationFailedError.errno:
                msg = f"this user may not use the topic {topic['topic']}: {GIVE}"
                raise UserError(msg)
            if topic["error_code"] == UnknownTopicOrPartitionError.errno:
                msg = f"{cluster.bootstrap} has no topic {topic['topic']}: make it with `lianqin topics --create`"
                raise UserError(msg)
        for group in groups:
            # A new broker has no coordinator for it yet: that is no refusal.
            with suppress(GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError):
                await admin.list_consumer_group_offsets(group)
    finally:
        await admin.close()


def denied(error: BrokerResponseError) -> str:
    """What to do about a refusal of this kind, in one line."""
    return f"the broker does not allow this to this user ({type(error).__name__}): {GIVE}"


def _context(security: SecuritySettings) -> ssl.SSLContext:
    context = _trusting(security.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = security.check_hostname
    if security.cert_file is not None:
        try:
            # Without a function for it, OpenSSL asks on the terminal.
            context.load_cert_chain(security.cert_file, security.key_file, lambda: _text(security.key_password))
        except OSError as error:  # TLS' own errors are of this kind
            where = f"{ASK}CERT_FILE and {ASK}KEY_FILE"
            msg = f"{security.cert_file} is no certificate with its key ({_why(error)}): correct {where}"
            raise UserError(msg) from error
    return context


def _trusting(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        msg = f"{ca_file} holds no certificates ({_why(error)}): correct {ASK}CA_FILE"
        raise UserError(msg) from error


def _why(error: OSError) -> str:
    return (error.reason if isinstance(error, ssl.SSLError) else error.strerror) or type(error).__name__


def _text(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret is not None else ""
