"""shut_in.py UNIT PROGRAM …: runs a program under the system-call filters that systemd would make of a unit, on this kernel and
without systemd: SystemCallFilter, SystemCallErrorNumber=EPERM, RestrictAddressFamilies, MemoryDenyWriteExecute and NoNewPrivileges.
What is denied fails with EPERM. The sets of calls are those that `systemd-analyze syscall-filter` lists."""

import ctypes
import errno
import mmap
import os
import re
import socket
import subprocess
import sys

ALLOW = 0x7FFF0000
DENY = 0x00050000 | errno.EPERM
EQUAL, MASKED_EQUAL = 4, 7  # of enum scmp_compare


class Comparison(ctypes.Structure):
    """struct scmp_arg_cmp"""

    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def call_sets():
    listed = subprocess.run(["systemd-analyze", "--no-pager", "syscall-filter"], check=True, capture_output=True,
                            text=True).stdout
    sets, name = {}, None
    for line in listed.splitlines():
        if line.startswith("@"):
            name = line.strip()
            sets[name] = []
        elif name and (word := re.match(r"\s+(@?[a-z0-9_-]+)$", line)):
            sets[name].append(word[1])
    return sets


def calls_of(words, sets):
    found = set()
    for word in words:
        found |= calls_of(sets[word], sets) if word.startswith("@") else {word}
    return found


def allowed_calls(unit):
    sets, allowed = call_sets(), set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", unit, re.M):
        if line.startswith("~"):
            allowed -= calls_of(line[1:].split(), sets)
        else:
            allowed |= calls_of(line.split(), sets)
    assert len(allowed) > 200, "the sets were not read"
    return allowed


def load_filter(unit):
    library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(DENY)))

    allowed = allowed_calls(unit)

    def allow(name, *comparisons):
        if name not in allowed:
            return
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number < 0:  # none of this architecture
            return
        array = (Comparison * len(comparisons))(*comparisons)
        done = library.seccomp_rule_add_array(context, ctypes.c_uint32(ALLOW), number, len(comparisons), array)
        assert done == 0, (name, done)

    for name in allowed - {"socket", "mmap", "mprotect", "pkey_mprotect"}:
        allow(name)
    for family in re.search(r"^RestrictAddressFamilies=(.*)$", unit, re.M)[1].split():
        allow("socket", Comparison(0, EQUAL, getattr(socket, family)))
    assert "MemoryDenyWriteExecute=yes" in unit and "SystemCallErrorNumber=EPERM" in unit
    for forbidden in (mmap.PROT_WRITE, mmap.PROT_EXEC):
        allow("mmap", Comparison(2, MASKED_EQUAL, forbidden, 0))
    allow("mprotect", Comparison(2, MASKED_EQUAL, mmap.PROT_EXEC, 0))
    assert library.seccomp_load(context) == 0  # sets no_new_privs, too


def main():
    with open(sys.argv[1]) as file:
        load_filter(file.read())
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
