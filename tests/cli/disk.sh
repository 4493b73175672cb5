# A disk that fills up while a bundle is written: one message, nothing half-written, the old bundle stays.
LMC=$1 ROOT=$2
. "$ROOT/tests/cli/lib.sh.inc"
own_cache

check_full() { # check_full FOLDER
  [ ! -e "$1/tiny.lmc" ] || fail "a bundle on the full disk"
  [ -z "$(ls -A "$1")" ] || fail "left on the full disk: $(ls -A "$1")"
}

# A limit on the size of files, which needs no rights.
mkdir limited
(
  ulimit -f 1000
  expect_error 1 "weights.safetensors" "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" -o limited/tiny.lmc
  exit "$failures"
) || failures=$((failures + 1))
check_full limited

# A file system of 2 MB, where the system lets us mount one.
mkdir small
if mount -t tmpfs -o size=2m tmpfs small 2>/dev/null; then
  expect_error 1 "o space left" "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" -o small/tiny.lmc
  check_full small
  # No room for the object cache is no reason to fail.
  head -c 1990000 /dev/zero >small/filler
  LMC_CACHE_DIR=small/cache expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" -o tiny.lmc
  umount small
fi

# A damaged entry of the object cache is compiled again.
for f in .kernels/*.o; do printf 'x' | dd of="$f" bs=1 seek=100 conv=notrunc 2>/dev/null; done
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" -o tiny.lmc
expect_in err.txt "compiled in"
expect_ok "$LMC" compile "$ROOT/models/tiny/gemma3.yaml" -o tiny.lmc
expect_in err.txt "from the object cache"
expect_ok "$LMC" run tiny.lmc --ids 2,119,166 --max-tokens 4 --temperature 0 --json --perf --jit-debug

# Standard output that cannot be written.
if [ -w /dev/full ]; then
  "$LMC" run tiny.lmc --ids 2,119,166 --max-tokens 4 --temperature 0 --json >/dev/full 2>err.txt
  [ $? -eq 1 ] || fail "a full standard output is not noticed"
  expect_in err.txt "cannot write to standard output"
fi
finish
