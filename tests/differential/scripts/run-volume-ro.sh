N=${N:-df$$}
d=$(mktemp -d); echo hi > $d/f; $DOCKER run --rm -v $d:/m:ro busybox sh -c "exec 2>&1; cat /m/f; touch /m/g" 2>&1; echo $?; rm -r $d
