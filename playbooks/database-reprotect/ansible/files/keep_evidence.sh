#!/bin/sh
# Keep the WAL that only a former primary has, from the point where the new primary's history
# leaves it, and say "diverged" or "same". Changes nothing but the evidence directory.
#
# usage: keep_evidence.sh BIN DATA EVIDENCE SOURCE [COMMAND THAT BECOMES THE OWNER OF DATA...]
set -eu
bin=$1 data=$2 evidence=$3 source=$4
shift 4

control=$("$@" "$bin/pg_controldata" -D "$data")
field() { printf '%s\n' "$control" | sed -n "s/^$1: *//p"; }
state=$(field 'Database cluster state')
timeline=$(field "Latest checkpoint's TimeLineID")
checkpoint=$(field 'Latest checkpoint location')

case $state in *recovery*) echo "same: it is a standby already"; exit 0 ;; esac

history=$("$@" "$bin/psql" -XAtd "$source" -c "
  select convert_from(pg_read_binary_file('pg_wal/' || lpad(upper(to_hex(timeline_id)), 8, '0') || '.history'), 'UTF8')
  from pg_control_checkpoint()")
fork=$(printf '%s\n' "$history" | awk -v timeline="$timeline" '$1 == timeline {found = $2} END {print found}')
[ -n "$fork" ] || { echo "timeline $timeline is not in the history of the new primary" >&2; exit 1; }

# An LSN as sixteen hexadecimal digits, so that text sorts as the numbers do.
wide() { printf '%s' "$1" | awk -F/ '{printf "%8s%8s", $1, $2}' | tr ' ' 0; }
first_of() { printf '%s\n%s\n' "$(wide "$1")" "$(wide "$2")" | sort | head -n 1; }

if [ "$state" = "shut down" ] && [ "$(wide "$checkpoint")" != "$(wide "$fork")" ] &&
  [ "$(first_of "$checkpoint" "$fork")" = "$(wide "$checkpoint")" ]; then
  echo "same: stopped at $checkpoint, before the histories part at $fork"
  exit 0
fi

place="$evidence/timeline-$timeline-from-$(printf '%s' "$fork" | tr / -)"
if [ ! -e "$place/complete" ]; then
  mkdir -p -m 700 "$place"
  chown --reference="$data/PG_VERSION" "$evidence" "$place"
  first=$("$@" "$bin/psql" -XAtd "$source" -c "
    select lpad(upper(to_hex($timeline)), 8, '0') || substr(pg_walfile_name('$fork'::pg_lsn), 9)")
  for file in "$data"/pg_wal/"$(printf '%08X' "$timeline")"*; do
    name=$(basename "$file")
    case $name in *.*) continue ;; esac
    if [ "$(printf '%s\n%s\n' "$name" "$first" | sort | head -n 1)" = "$first" ]; then
      "$@" cp -p "$file" "$place/"
    fi
  done
  printf '%s\n' "$history" | "$@" tee "$place/history" > /dev/null
  printf '%s\n' "$control" | "$@" tee "$place/pg_controldata" > /dev/null
  # Ends with an error where the WAL ends; what was read until then is what there is.
  "$@" "$bin/pg_waldump" --path="$place" --timeline="$timeline" --start="$fork" 2>&1 | "$@" tee "$place/records" > /dev/null || true
  "$@" touch "$place/complete"
fi
echo "diverged: $(grep -c 'desc: COMMIT' "$place/records" || true) commits from $fork on are kept in $place"
