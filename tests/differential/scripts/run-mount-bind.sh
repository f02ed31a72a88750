N=${N:-df$$}
d=$(mktemp -d); $DOCKER run --rm --mount type=bind,src=$d,dst=/m,readonly busybox sh -c "touch /m/g" ; echo $?; rm -r $d
