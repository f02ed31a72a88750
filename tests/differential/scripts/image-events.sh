# The order of events of import, tag, a tag taken over, save, load, untag and delete.
N=${N:-df$$}
d=$(mktemp -d); t=$(date +%s); echo one > $d/f
a=$(tar -C $d -c f | $DOCKER import -c "LABEL of=$N" - $N:a); echo two > $d/f; b=$(tar -C $d -c f | $DOCKER import - $N:b)
$DOCKER tag $N:a $N:c; $DOCKER tag $N:a $N/other:c; $DOCKER tag $N:b $N:c; $DOCKER save -o $d/s $N:a $N:c $N/other; $DOCKER rmi $N:a; $DOCKER rmi $N/other:c; $DOCKER rmi $b; $DOCKER rmi -f $b
$DOCKER load -i $d/s; $DOCKER load -qi $d/s; $DOCKER tag $N:b $N:a; $DOCKER load -i $d/s; $DOCKER rmi $N:a $N:b $N:c $N/other:c; $DOCKER rmi $a $b
$DOCKER events --since $t --until $(date +%s.%N) --format '{{.Type}} {{.Action}} {{.Actor.ID}} {{json .Actor.Attributes}}' | grep -e $N -e $a -e $b | sed "s/$a/A/g; s/$b/B/g"
rm -r $d
