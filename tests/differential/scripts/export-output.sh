# To a file, and where that is refused.
N=${N:-df$$}
d=$(mktemp -d); $DOCKER create --name $N busybox true >/dev/null; $DOCKER export -o $d/a.tar $N; tar tf $d/a.tar | grep -c bin/sh; $DOCKER export -o $d/none/a.tar $N 2>&1 | sed "s#$d#DIR#g"; $DOCKER export no-such-$N; echo $?; $DOCKER export 2>&1 | head -1; $DOCKER rm $N >/dev/null; rm -r $d
