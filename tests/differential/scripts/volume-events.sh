N=${N:-df$$}
s=$(date +%s); $DOCKER volume create $N-v >/dev/null; $DOCKER run --rm -v $N-v:/d:ro busybox true; $DOCKER volume rm $N-v >/dev/null; sleep 1
$DOCKER events --since $s --until $(date +%s) --filter type=volume --filter volume=$N-v --format '{{.Action}} {{.Actor.Attributes.driver}} {{index .Actor.Attributes "read/write"}} {{.Actor.Attributes.destination}} {{.Actor.Attributes.propagation}}'
