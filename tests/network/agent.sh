#!/bin/sh
# mpirun's way to another machine, which is a network namespace here (ranks_network.sh): agent [OPTIONS] 10.77.0.N COMMAND…
while [ "${1#-}" != "$1" ]; do shift; done
name=$LMC_NAMESPACE${1##*.}
shift
exec ip netns exec "$name" unshare -u sh -c "hostname $name; $*"
