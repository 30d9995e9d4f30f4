"""A Kafka that asks who is there: certificates, passwords and what the settings of a broker say of them.

Everything secret lies in one folder of the stack, for this user alone. The key of the certificate authority
is gone once it has signed the broker's certificate, so that nobody can make another one. The controller's
listener takes that certificate and no other; clients, and the broker itself, log in by SCRAM.
"""

import base64
import hashlib
import hmac
import os
import secrets
import shutil
import ssl
import subprocess
import tempfile

from host import Trouble

MECHANISM = "SCRAM-SHA-512"
ADMIN = "admin"
BROKER = "weir-stack-broker"
ALLOWED_DAYS = "3650"
LOGIN_MODULE = "org.apache.kafka.common.security.scram.ScramLoginModule"


def folder_of(stack):
    return os.path.join(stack.dir, "secrets")


def path_of(stack, name):
    return os.path.join(folder_of(stack), name)


def write_private(path, text):
    """For this user alone from the first byte on, and whole or not at all."""
    if os.path.exists(path + ".tmp"):
        os.unlink(path + ".tmp")
    with open(os.open(path + ".tmp", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    os.replace(path + ".tmp", path)


def password_of(stack, user):
    with open(path_of(stack, user + ".password")) as file:
        return file.read()


def make(stack):
    """Certificates and passwords, once."""
    if os.path.exists(path_of(stack, "ready")):
        return
    shutil.rmtree(folder_of(stack), ignore_errors=True)
    os.mkdir(folder_of(stack), 0o700)
    _make_certificates(stack)
    for user in (ADMIN, BROKER):
        write_private(path_of(stack, user + ".password"), secrets.token_urlsafe(24))
    ca = path_of(stack, "ca.pem")
    common = {"security.protocol": "SASL_SSL", "sasl.mechanism": MECHANISM}
    write_private(
        path_of(stack, "kafka-tools.properties"),
        _lines(
            {
                **common,
                "ssl.truststore.type": "PEM",
                "ssl.truststore.location": ca,
                "sasl.jaas.config": _login(stack, ADMIN),
            }
        ),
    )
    write_private(
        path_of(stack, "admin.properties"),
        _lines(
            {
                **common,
                "ssl.ca.location": ca,
                "sasl.username": ADMIN,
                "sasl.password": password_of(stack, ADMIN),
            }
        ),
    )
    write_private(path_of(stack, "ready"), "")


def _lines(properties):
    return "".join(f"{name}={value}\n" for name, value in properties.items())


def _login(stack, user):
    return f'{LOGIN_MODULE} required username="{user}" password="{password_of(stack, user)}";'


def _make_certificates(stack):
    with tempfile.TemporaryDirectory(dir=folder_of(stack)) as scratch:

        def openssl(*arguments):
            done = subprocess.run(
                ["openssl", *arguments],
                cwd=scratch,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                umask=0o077,
            )
            if done.returncode != 0:
                raise Trouble(f"openssl {arguments[0]} failed:\n{done.stderr}")

        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
        with open(os.path.join(scratch, "broker.ext"), "w") as file:
            file.write(
                "subjectAltName=IP:127.0.0.1,DNS:localhost\n"
                "extendedKeyUsage=serverAuth,clientAuth\n"
            )
        openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem",
                "-days", ALLOWED_DAYS, "-subj", "/CN=weir-stack-ca")  # fmt: skip
        openssl("req", *key, "-keyout", "broker.key", "-out", "broker.csr", "-subj", f"/CN={BROKER}")
        openssl("x509", "-req", "-in", "broker.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-days", ALLOWED_DAYS, "-extfile", "broker.ext",
                "-out", "broker.crt")  # fmt: skip

        def read(name):
            with open(os.path.join(scratch, name)) as file:
                return file.read()

        write_private(path_of(stack, "broker.pem"), read("broker.key") + read("broker.crt"))
        write_private(path_of(stack, "ca.pem"), read("ca.pem"))


def settings(stack, client_address, controller_address):
    """What a broker's settings say in the place of plain listeners."""
    return {
        "listeners": f"SASL_SSL://{client_address},CONTROLLER://{controller_address}",
        "advertised.listeners": f"SASL_SSL://{client_address}",
        "listener.security.protocol.map": "SASL_SSL:SASL_SSL,CONTROLLER:SSL",
        "inter.broker.listener.name": "SASL_SSL",
        "sasl.enabled.mechanisms": MECHANISM,
        "sasl.mechanism.inter.broker.protocol": MECHANISM,
        f"listener.name.sasl_ssl.{MECHANISM.lower()}.sasl.jaas.config": _login(stack, BROKER),
        "listener.name.controller.ssl.client.auth": "required",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": path_of(stack, "broker.pem"),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": path_of(stack, "ca.pem"),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        "super.users": f"User:{ADMIN};User:{BROKER};User:CN={BROKER}",
    }


def write_first_users(stack, path):
    """The arguments that make the first users when a broker is formatted: a command line would show
    passwords to everybody on this machine."""
    lines = []
    for user in (ADMIN, BROKER):
        password = password_of(stack, user)
        lines += ["--add-scram", f"{MECHANISM}=[name={user},password={password}]"]
    write_private(path, "\n".join(lines) + "\n")


# --- A client, for asking the broker whether it is up ---------------------------------------------


def wrap(stack, sock):
    context = ssl.create_default_context(cafile=path_of(stack, "ca.pem"))
    return context.wrap_socket(sock, server_hostname="127.0.0.1")


class ScramLogin:
    """The client's half of SCRAM (RFC 5802): what it says first, and what to the server's answer."""

    def __init__(self, user, password):
        self._password = password.encode()
        self._bare = f"n={user},r={secrets.token_urlsafe(18)}"

    def first(self):
        return ("n,," + self._bare).encode()

    def final(self, challenge):
        told = dict(part.split("=", 1) for part in challenge.decode().split(","))
        salted = hashlib.pbkdf2_hmac(
            "sha512", self._password, base64.b64decode(told["s"]), int(told["i"])
        )
        client_key = hmac.digest(salted, b"Client Key", "sha512")
        without_proof = f"c=biws,r={told['r']}"
        signed = f"{self._bare},{challenge.decode()},{without_proof}".encode()
        signature = hmac.digest(hashlib.sha512(client_key).digest(), signed, "sha512")
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        return f"{without_proof},p={base64.b64encode(proof).decode()}".encode()
