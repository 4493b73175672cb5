#!/bin/sh
# mpirun's way to another machine, which is a network namespace here: agent [OPTIONS] 10.77.0.N COMMAND…
while [ "${1#-}" != "$1" ]; do shift; done
number=${1##*.}
shift
exec ip netns exec "lmcns$number" unshare -u sh -c "hostname lmcns$number; $*"
