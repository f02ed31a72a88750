# Names that can't be, and sources that are not.
N=${N:-df$$}
for t in UPPER a/B $N: $N:-x $N:$(printf %0129d 1) ///x sha256 sha256:x "" "a b" a..b/c a__b$N localhost:99999/$N:1 127.0.0.1:5000/$N:1 docker.io/$N x:y:z; do echo "== $t"; $DOCKER tag busybox "$t"; echo $?; done
for s in nosuch-$N nosuch-$N:1 sha256:$(printf %064d 1) $(printf %064d 1) 012345 busybox:nosuch docker.io/busybox; do echo "== $s"; $DOCKER tag "$s" $N:1; echo $?; $DOCKER image inspect "$s" -f x; $DOCKER history -q "$s" | wc -l; done
$DOCKER rmi a__b$N localhost:99999/$N:1 127.0.0.1:5000/$N:1 $N $N:1; $DOCKER tag busybox; echo $?
