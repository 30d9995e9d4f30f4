# Sourced by stack/setup, run.sh and test.sh: words to the user, and the place of the cache.

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
