N=${N:-df$$}
f=$(mktemp -u); $DOCKER run --rm --cidfile $f busybox true; wc -c < $f; rm -f $f
