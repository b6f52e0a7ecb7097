"""One broker with TLS, users and rights for a module."""

from collections.abc import Iterator

import pytest

from schemas.roles import ROLES, user_of
from tests.security.kafka import PREFIX, SecureKafka, secure_kafka


@pytest.fixture(scope="package")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    """It knows one user for each role."""
    with secure_kafka(tmp_path_factory.mktemp("secure")) as running:
        running.know({user_of(role, PREFIX): [role] for role in ROLES})
        yield running
