#!/usr/bin/env bash
# Runs Weirkeeper on this machine, from nothing: see usage below.
set -euo pipefail
WEIR_SCRIPT=run.sh
. "$(dirname "$0")/stack/lib.sh"
cd "$WEIR_ROOT"

weir=build/release/src/cli/weir
config=examples/boston/weir.yaml
dataset=data/boston.csv

usage() {
  cat <<'EOF'
./run.sh [--for TIME] [--ports auto|NAME=N,...] [--keep] [-- ARGUMENTS OF weir run]

Makes the machine ready, builds weir, starts a local Kafka, HDFS and Redis, drops the Boston housing
data set into HDFS and runs the whole pipeline on it. Ctrl-C ends it; servers that were started here
are stopped again, by the last run that uses them where there are several.
  --for TIME   end by itself after that time, such as 30s or 5m
  --ports      where the servers listen on 127.0.0.1, if the usual ports are taken; see stack/up -h
  --keep       leave the servers running at the end; stack/down stops them
EOF
}

arguments=()
up_arguments=()
keep=0
while [ $# -gt 0 ]; do
  case $1 in
    --for=* | --ports=*) set -- "${1%%=*}" "${1#*=}" "${@:2}"; continue ;;
    --for | --ports)
      [ $# -ge 2 ] || { say "$1 needs a value"; exit 2; }
      if [ "$1" = --for ]; then arguments+=(--for "$2"); else up_arguments+=(--ports "$2"); fi
      shift
      ;;
    --keep) keep=1 ;;
    -h | --help) usage; exit ;;
    --) shift; arguments+=("$@"); break ;;
    *) say "unknown argument '$1'"; usage >&2; exit 2 ;;
  esac
  shift
done

stack_dir=$WEIR_ROOT/.weir/stack
using=0
starting=0
cleanup() {
  trap '' INT TERM HUP
  # Interrupted while they were starting: nobody can use them yet.
  if [ $starting = 1 ]; then own_stack "$stack_dir"; fi
  if [ $using = 1 ] && last_of_stack "$stack_dir"; then
    stack/down 7>&-
    disown_stack "$stack_dir"
  fi
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

build() {
  # The tests are built along where they can be, so that test.sh and this script do not undo each
  # other's work.
  local tests=ON
  dpkg-query -W libgtest-dev libgmock-dev >/dev/null 2>&1 || tests=OFF
  mkdir -p .weir
  cmake --preset release -DBUILD_TESTING=$tests >.weir/configure.log 2>&1 || {
    cat .weir/configure.log >&2
    return 1
  }
  cmake --build --preset release --target weir >&2
}

drop_dataset() {
  local told
  told=$("$weir" drop "$dataset" -c "$config" 2>&1) && return
  # An earlier run may have been ended between its drop and its training.
  [[ $told == *"is already there"* ]] && return
  printf '%s\n' "$told" >&2
  return 1
}

stack/setup --for run
step "building weir (a few minutes the first time)" build

use_stack "$stack_dir"
using=1
running=0
stack/status >/dev/null || running=$?
if [ $running = 3 ]; then starting=1; fi
stack/up "${up_arguments[@]}"
if [ $starting = 1 ]; then own_stack "$stack_dir"; fi
starting=0
if [ $keep = 1 ]; then disown_stack "$stack_dir"; fi
set -a
. .weir/stack/stack.env
WEIR_KAFKA_BOOTSTRAP_SERVERS=$WEIR_STACK_KAFKA
set +a

# Exit code 1: some version cannot be read, which is told.
models=$("$weir" models list -c "$config") || [ $? = 1 ]
if [ -z "$models" ]; then
  step "dropping $dataset into HDFS" drop_dataset
fi

# weir runs in a process group of its own, so that a Ctrl-C, or a signal to this script alone,
# reaches it exactly once.
set -m
"$weir" run -c "$config" "${arguments[@]}" </dev/null &
pid=$!
set +m
trap 'kill -INT "$pid" 2>/dev/null || true' INT
trap 'kill -TERM "$pid" 2>/dev/null || true' TERM HUP
while kill -0 "$pid" 2>/dev/null; do wait "$pid" || true; done
status=0
wait "$pid" || status=$?
exit $status
