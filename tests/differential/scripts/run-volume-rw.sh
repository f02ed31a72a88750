N=${N:-df$$}
d=$(mktemp -d); $DOCKER run --rm -v $d:/m busybox sh -c "echo w > /m/g"; cat $d/g; rm -r $d
