N=${N:-df$$}
$DOCKER run --rm busybox sh -c 'kill -TERM $$; sleep 1'; echo $?
