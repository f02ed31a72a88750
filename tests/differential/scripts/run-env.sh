N=${N:-df$$}
A=outer $DOCKER run --rm -e A -e B=two -e EMPTY= busybox env | grep -E '^(A|B|EMPTY|PATH)=' | sort
