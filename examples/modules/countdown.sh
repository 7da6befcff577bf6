#!/bin/sh
# Counts down: countdown.sh --seconds=3 --fail
seconds=10
code=0
for argument in "$@"; do
  case "$argument" in
    --seconds=*) seconds="${argument#--seconds=}" ;;
    --fail) code=1 ;;
  esac
done
while [ "$seconds" -gt 0 ]; do
  echo "$seconds"
  seconds=$((seconds - 1))
  sleep 1
done
echo "Ended with code $code"
exit "$code"
