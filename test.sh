#!/usr/bin/env bash
# Builds Weirkeeper and runs all of its tests, from nothing: see usage below.
set -euo pipefail
WEIR_SCRIPT=test.sh
. "$(dirname "$0")/stack/lib.sh"
cd "$WEIR_ROOT"

usage() {
  cat <<'EOF'
./test.sh [--quick] [--fuzz SECONDS]

Makes the machine ready, builds, and runs the unit tests (also under the address and
undefined-behaviour sanitizers, those of threads under the thread sanitizer), the end-to-end tests and a
few minutes of torture (SIGKILL of everything, at random) against real servers of its own, which are
gone afterwards. Programs with a planted fault are tortured, too, and must be found out.
Every reader of foreign bytes is fuzzed for some seconds.
  --quick         without the sanitizers, the planted faults and the fuzzing
  --fuzz SECONDS  fuzzes each target for so long (5)
The last line is 'N passed, N failed'; the exit code is 0 only if nothing failed. Logs are in
.weir/test-logs.
EOF
}

quick=0
fuzz_seconds=5
while [ $# -gt 0 ]; do
  case $1 in
    --quick) quick=1 ;;
    --fuzz) fuzz_seconds=${2:-}; shift ;;
    -h | --help) usage; exit ;;
    *) say "unknown argument '$1'"; usage >&2; exit 2 ;;
  esac
  shift || true
done

logs=.weir/test-logs
rm -rf $logs
mkdir -p $logs
stack_dir=$(mktemp -d "$WEIR_ROOT/.weir/test-stack.XXXXXX")
export WEIR_TORTURE_DIR=$WEIR_ROOT/.weir/torture-test
torture_dir=$WEIR_TORTURE_DIR
up_pid=
cleanup() {
  trap '' INT TERM HUP
  if [ -n "$up_pid" ]; then
    kill -TERM "$up_pid" 2>/dev/null || true
    wait "$up_pid" || true
  fi
  # Where the tests were interrupted, so may be what they started.
  for own in three secure; do
    stack/down --dir "$stack_dir/$own" --kill --wipe >/dev/null 2>&1 || true
  done
  stack/down --dir "$stack_dir" --wipe 2>$logs/stack-down.log || cat $logs/stack-down.log >&2
  for own in "$torture_dir"/*/; do
    stack/down --dir "$own/stack" --kill --wipe 2>>$logs/stack-down.log || cat $logs/stack-down.log >&2
  done
  rm -rf "$stack_dir"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

passed=0
failed=0
broken=()  # the stages with failures: name|report

# Adds a test runner's report in JUnit's format to the sums; prints how many it counted, and how
# many of them failed.
count() {
  /usr/bin/python3 - "$1" <<'EOF'
import sys, xml.etree.ElementTree as tree
total = bad = idle = 0
try:
    for suite in tree.parse(sys.argv[1]).getroot().iter("testsuite"):
        get = lambda name: int(suite.get(name) or 0)
        total, bad = total + get("tests"), bad + get("failures") + get("errors")
        idle += get("skipped") + get("disabled")
except (OSError, tree.ParseError):
    pass
print(total - bad - idle, bad)
EOF
}

# Prints what each failed test in a report said, in its last lines: the end of a long output is what
# gets read, and what is kept.
retell() {
  /usr/bin/python3 - "$1" <<'EOF'
import sys, xml.etree.ElementTree as tree
try:
    cases = list(tree.parse(sys.argv[1]).getroot().iter("testcase"))
except (OSError, tree.ParseError):
    cases = []
for case in cases:
    for fault in [*case.iter("failure"), *case.iter("error")]:
        print(f"failed: {case.get('classname')} {case.get('name')}")
        texts = [fault.get("message"), fault.text, case.findtext("system-out"), case.findtext("system-err")]
        lines = "\n".join(text for text in texts if text).splitlines()
        print("\n".join("  " + line[:400] for line in lines[-40:]))
EOF
}

# stage NAME REPORT COMMAND...: runs a command and counts what it reports. A command that fails
# without a failed test in its report, such as a build or a test program that crashed, counts as one
# failure.
stage() {
  local name=$1 report=$2 status=0 good=0 bad=0 start
  shift 2
  start=$(now_ms)
  say "$name ..."
  "$@" || status=$?
  if [ -n "$report" ]; then
    read -r good bad < <(count "$report")
    [ $((good + bad)) != 0 ] || { say "$name: ran no test"; status=1; }
  fi
  if [ $status != 0 ] && [ "$bad" = 0 ]; then bad=1; fi
  [ "$bad" = 0 ] || broken+=("$name|$report")
  passed=$((passed + good))
  failed=$((failed + bad))
  if [ $status = 0 ]; then say "$name: done in $(since "$start")"; else say "$name: FAILED"; fi
  return $status
}

# build PRESET TARGET...
build() {
  cmake --preset "$1" -DBUILD_TESTING=ON >"$logs/configure-$1.log" 2>&1 || {
    cat "$logs/configure-$1.log"
    return 1
  }
  cmake --build --preset "$1" --target "${@:2}"
}

unit() {
  stage "unit tests, $1" "$logs/$1.xml" ctest --preset "$1" --no-tests=error \
    --output-on-failure --output-junit "$WEIR_ROOT/$logs/$1.xml"
}

# Waits for the servers and exports where they are: to the contract suites among the unit tests and to
# the end-to-end tests.
servers() {
  local status=0
  wait "$up_pid" || status=$?
  up_pid=
  if [ $status != 0 ]; then
    cat $logs/stack-up.log
    return 1
  fi
  set -a
  . "$stack_dir/stack.env"
  WEIR_TEST_KAFKA=$WEIR_STACK_KAFKA
  WEIR_TEST_WEBHDFS=$WEIR_STACK_NAMENODE_HTTP
  WEIR_BIN=$WEIR_ROOT/build/release/src/cli/weir
  set +a
}

stack/setup --for test
stack/up --dir "$stack_dir" --ports auto --proxies >$logs/stack-up.log 2>&1 </dev/null &
up_pid=$!

released=0
stage "building release" '' build release all && released=1 || true
# After the build, as some of the rules are about what the program says.
stage "rules on the source tree" $logs/structure.xml \
  .weir/venv/bin/pytest -q tests/structure --junitxml="$logs/structure.xml" || true
if [ $released = 1 ] && stage "starting the servers" '' servers; then
  unit release || true
  # A busy machine makes them slow, not wrong: what they wait for may take three times as long.
  stage "end-to-end tests" $logs/e2e.xml env WEIR_E2E_PATIENCE=3 \
    .weir/venv/bin/pytest tests/e2e --timeout=720 --junitxml="$logs/e2e.xml" || true
  stage "torture" $logs/torture.xml \
    .weir/venv/bin/pytest -q tests/torture/test_torture.py --junitxml="$logs/torture.xml" || true
  # They take little of the machine: most of the time they wait for the end of a storm.
  [ $quick = 1 ] || stage "torture of planted faults" $logs/sabotage.xml \
    .weir/venv/bin/pytest -q -n 3 tests/torture/test_sabotage.py --junitxml="$logs/sabotage.xml" || true
else
  say "the tests that need the program or the servers were not run"
fi
if [ $quick = 0 ]; then
  stage "building asan" '' build asan unit_tests && unit asan || true
  # Only what has suites of threads: "FooThreads".
  threaded=$(grep -l Threads src/*/*_test.cc | cut -d/ -f2 | sort -u | sed 's/$/_test/')
  stage "building tsan" '' build tsan $threaded && unit tsan || true
  stage "fuzzing" '' tests/fuzz/run --for "$fuzz_seconds" || true
fi

for stage in "${broken[@]}"; do
  say "${stage%|*}: FAILED"
  retell "${stage##*|}"
done
printf '%d passed, %d failed\n' $passed $failed
[ $failed = 0 ]
