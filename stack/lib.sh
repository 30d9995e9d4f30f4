# Sourced by stack/setup, run.sh and test.sh: words to the user, the place of the cache, and the runs
# that share a stack.

WEIR_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export HOME=${HOME:-$(echo ~)}
WEIR_CACHE_DIR=${WEIR_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/weirkeeper}

say() { printf '%s: %s\n' "$WEIR_SCRIPT" "$*" >&2; }
fail() { say "$*"; exit 1; }

# The time in milliseconds, and what has passed since then, as "3.2 s".
now_ms() { local t=${EPOCHREALTIME/[.,]/}; echo "${t%???}"; }
since() { local ms=$(($(now_ms) - $1)); printf '%d.%d s' $((ms / 1000)) $((ms % 1000 / 100)); }

# step WHAT COMMAND...: says what is done, does it, and says how long it took.
step() {
  local what=$1 start
  start=$(now_ms)
  shift
  say "$what ..."
  "$@" || return
  say "${what%%: *}: done in $(since "$start")"
}

# Runs that share a stack. Each holds DIR.users in common for as long as it uses the servers, so that
# the lock goes with the process however that ends. The servers that a run has started are stopped by
# the last run that leaves them; those that somebody else has started, by nobody.

# use_stack DIR: before the first look at the servers. Waits where the last run is stopping them.
use_stack() {
  exec 7>"$1.users"
  flock -s -n 7 || { say "another run is stopping the servers; waiting for it to end"; flock -s 7; }
}

# own_stack DIR: the servers that run now were started by a run.
own_stack() { cat "$1"/pids/* >"$1.started" 2>/dev/null || true; }

# disown_stack DIR: they are to stay, whoever has started them.
disown_stack() { rm -f "$1.started"; }

# last_of_stack DIR: whether the caller is the last run to use them, and they are to be stopped. Then
# no other begins to use them until the caller has ended.
last_of_stack() {
  flock -n -x 7 || return 1  # without the number, the status of what the trap came upon
  # The pids as they were: whatever was started anew meanwhile was not started by a run.
  [ -e "$1.started" ] && cat "$1"/pids/* 2>/dev/null | cmp -s - "$1.started"
}
