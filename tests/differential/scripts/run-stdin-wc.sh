N=${N:-df$$}
head -c 3000000 /dev/zero | $DOCKER run --rm -i busybox wc -c
