#!/bin/sh
# check_abi.sh <library>…: fails where one needs a glibc newer than 2.28, or another library than libc's. GNU objdump
# reads the files of every processor.
set -eu
status=0
for library in "$@"; do
  text=$(objdump -T -p "$library" 2>/dev/null) || text=$(aarch64-linux-gnu-objdump -T -p "$library")
  newest=$(printf '%s\n' "$text" | grep -o 'GLIBC_2\.[0-9.]*' | sort -u -t. -k2,2n -k3,3n | tail -n 1)
  minor=${newest#GLIBC_2.}
  if [ "${minor%%.*}" -gt 28 ]; then
    echo "$library needs $newest: bind the symbol in common/old_glibc.h to an older version" >&2
    status=1
  fi
  others=$(printf '%s\n' "$text" | sed -n 's/^ *NEEDED *//p' | grep -Ev '^(libc\.so\.6|libdl\.so\.2|libpthread\.so\.0|ld-linux.*)$' || true)
  if [ -n "$others" ]; then
    echo "$library needs $others" >&2
    status=1
  fi
  echo "$library: $newest"
done
exit $status
