# Images by id, by prefixes of it, with and without the algorithm; several at once, missing ones among them.
N=${N:-df$$}
d=$(mktemp -d); echo $N > $d/f; i() { tar -C $d -c f | $DOCKER import - $N:$1; }
a=$(i a); h=${a#sha256:}
for r in $a $h $(echo $h | cut -c1-12) $(echo $h | cut -c1-20) sha256:$(echo $h | cut -c1-12) ; do $DOCKER image inspect -f '{{.RepoTags}}' $r; done
$DOCKER tag $h $N:b; $DOCKER tag $(echo $h | cut -c1-12) $N:c; $DOCKER image inspect -f '{{.RepoTags}}' $N:c
$DOCKER rmi $(echo $h | cut -c1-12) | sed s/$h/ID/; $DOCKER rmi -f nosuch-$N $(echo $h | cut -c1-14) nosuch2-$N; echo $?; $DOCKER rmi ''; echo $?; $DOCKER rmi @bad; echo $?; $DOCKER rmi $N:c
b=$(i d); i e >/dev/null; $DOCKER rmi -f $b $N:nosuch $N:e; $DOCKER rmi --no-prune $N:e; echo $?
$DOCKER image inspect "$N:a" $b 2>&1 | head -3; $DOCKER history $a; echo $?; $DOCKER tag $b $N:x; echo $?
rm -r $d
