N=${N:-df$$}
printf 'one\ntwo\n' | $DOCKER run --rm -i busybox cat
