"""A Kafka with an authorizer: the table of rights, its users, and what each of them may do."""

import re
import secrets
from dataclasses import dataclass

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from support.stack import ROOT
from support.waiting import wait_until

TABLE = ROOT / "docs/security.md"
RESOURCES = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transactional-id": ResourceType.TRANSACTIONAL_ID,
}
KINDS = ("features", "predictions", "dead", "control", "members", "swaps")


@dataclass(frozen=True)
class Right:
    role: str
    operation: str
    resource: str
    name: str  # with <pipeline>, and a * where all names are meant that begin so

    def __str__(self):
        return f"{self.role} {self.operation} {self.resource} {self.name}"

    def kind(self):
        """features, control, …, trainer, scorer-*"""
        return self.name.partition(".")[2]

    def name_in(self, pipeline):
        return self.name.replace("<pipeline>", pipeline).rstrip("*")


def documented_rights():
    """The table in docs/security.md."""
    row = r"^\| (\w+) \| (\w+) \| ([\w-]+) \| `(<pipeline>[^`]+)` \| \S.* \|$"
    return [Right(*cells) for cells in re.findall(row, TABLE.read_text(), re.M)]


def least_rights(role):
    return [right for right in documented_rights() if right.role == role]


class SecureKafka:
    """The administrator's hand."""

    def __init__(self, stack):
        self.stack = stack
        self._admin = AdminClient({**stack.kafka_client(), "log_level": 0})
        self._users = 0

    def properties(self, user, password):
        """Of a client that logs in so."""
        return {**self.stack.kafka_client(), "sasl.username": user, "sasl.password": password}

    def make_topics(self, pipelines, partitions=1):
        new = []
        for pipeline in pipelines:
            for kind in (*KINDS, "actuals"):
                many = kind in ("features", "predictions", "dead", "actuals")
                new.append(NewTopic(f"{pipeline}.{kind}", partitions if many else 1, 1))
        for made in self._admin.create_topics(new).values():
            made.result(60)

    def make_users(self, granted):
        """Users of the rights in each of these lists of (right, pipeline); gives (name, password) of each."""
        made = []
        credential = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        for rights in granted:
            self._users += 1
            role = rights[0][0].role if rights else "nobody"
            made.append((f"{role}-{self._users}", secrets.token_urlsafe(16)))
        wanted = [
            UserScramCredentialUpsertion(name, credential, password.encode())
            for name, password in made
        ]
        for altered in self._admin.alter_user_scram_credentials(wanted).values():
            altered.result(60)
        # An answer comes when the controller has it; the broker follows, in the same order.
        last = self.properties(*made[-1])
        wait_until(lambda: self._may_log_in(last), f"{made[-1][0]} may log in", 60)
        bindings = [
            self._binding(AclBinding, name, right, pipeline)
            for (name, _), rights in zip(made, granted)
            for right, pipeline in rights
        ]
        if bindings:
            for created in self._admin.create_acls(bindings).values():
                created.result(60)
            user = made[-1][0]
            wait_until(lambda: self._rights_of(user) == len(granted[-1]), f"{user} has its rights")
        return made

    @staticmethod
    def _may_log_in(properties):
        try:
            AdminClient({**properties, "log_level": 0}).list_topics(timeout=2)
            return True
        except KafkaException:
            return False

    def _rights_of(self, user):
        everything = AclBindingFilter(
            ResourceType.ANY,
            None,
            ResourcePatternType.ANY,
            f"User:{user}",
            None,
            AclOperation.ANY,
            AclPermissionType.ANY,
        )
        return len(self._admin.describe_acls(everything).result(60))

    def take_away(self, taken):
        """Of (user, right, pipeline), all at once."""
        filters = [
            self._binding(AclBindingFilter, user, right, pipeline)
            for user, right, pipeline in taken
        ]
        for deleted in self._admin.delete_acls(filters).values():
            assert len(deleted.result(60)) == 1

    @staticmethod
    def _binding(make, user, right, pipeline):
        prefixed = right.name.endswith("*")
        return make(
            RESOURCES[right.resource],
            right.name_in(pipeline),
            ResourcePatternType.PREFIXED if prefixed else ResourcePatternType.LITERAL,
            f"User:{user}",
            "*",
            AclOperation[right.operation.upper()],
            AclPermissionType.ALLOW,
        )
