# Its event, and that mounts are not in it.
N=${N:-df$$}
t=$(date +%s); $DOCKER run --name $N -v /vol -v /tmp:/b busybox sh -c 'echo x > /vol/x'; $DOCKER export $N | tar tf - | grep -E '^(vol|b/)'; $DOCKER events --since $t --until $(date +%s.%N) --filter container=$N --format '{{.Action}}' | grep export; $DOCKER rm -v $N >/dev/null
