N=${N:-df$$}
$DOCKER run --rm --name $N-v busybox true; sleep 1.2; $DOCKER events --since 1m --until 0s --filter container=$N-v --format "{{.Type}} {{.Action}}"
