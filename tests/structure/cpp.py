"""Just enough of C++ for the structure tests, for code as clang-format lays it out here."""

import re
from functools import cache

# Comments, raw strings, strings, characters; 10'000 is a number, not the begin of a character.
_TOKENS = re.compile(
    r"""//[^\n]*|/\*.*?\*/|R"(?P<mark>[^()\\ ]{0,16})\(.*?\)(?P=mark)"|"(?:\\.|[^"\\\n])*\""""
    r"""|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'""", re.S)
_PREPROCESSOR = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.M)
_SCOPE = re.compile(r"^(?:inline\s+)?namespace\b|^extern\b|^(?:template\s*<.*>\s*)?"
                    r"(?:class|struct|union|enum)\b(?!.*\)\s*(?:const)?$)", re.S)


def _blanked(match):
    return re.sub(r"[^\n]", " ", match.group())


@cache
def code_only(text):
    """The text with comments, literals and preprocessor lines blanked out, line for line."""
    return _PREPROCESSOR.sub(_blanked, _TOKENS.sub(_blanked, text))


def joined_strings(text):
    """The text with neighbouring string literals joined: "a " "b" is "a b"."""
    return re.sub(r'"\s*\n\s*"', "", text)


def functions(text):
    """(name, first line, lines) of each function body, from its declaration to its last brace.

    A function is an outermost brace block that is no namespace, no type and no initialiser.
    Lambdas count as part of the function around them.
    """
    code = code_only(text)
    found = []
    inside = []         # per open brace: None for a scope, else where its statement begins
    statement = 0       # where the current statement begins
    for mark in re.finditer(r"[{};]", code):
        at, character = mark.start(), mark.group()
        if character == "{":
            head = code[statement:at].strip()
            head = re.sub(r"^(?:public|private|protected):\s*", "", head)
            in_function = any(begin is not None for begin in inside)
            if not in_function and (_SCOPE.match(head) or not head):
                inside.append(None)
                statement = at + 1
            else:
                inside.append(statement)
        elif character == "}" and inside:
            begin = inside.pop()
            if begin is not None and all(other is None for other in inside):
                head = code[begin:at]
                first = begin + len(head) - len(head.lstrip())
                head = re.sub(r"^(?:public|private|protected):\s*", "", head.lstrip())
                head = head[:head.index("{")]
                if "(" in head and not re.search(r"=\s*$", head):
                    name = re.search(r"([\w:~]+|operator\S+)\s*\(", head)
                    line = code.count("\n", 0, first) + 1
                    found.append((name.group(1) if name else "?", line,
                                  code.count("\n", 0, at) + 2 - line))
            if all(other is None for other in inside):
                statement = at + 1
        elif character == ";" and all(other is None for other in inside):
            statement = at + 1
    return found
