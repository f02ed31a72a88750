N=${N:-df$$}
f=$(mktemp); printf "# c\nX=1\nY=two words\n\n" > $f; $DOCKER run --rm --env-file $f busybox env | grep -E "^[XY]="; rm $f
