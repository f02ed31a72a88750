# Without a pause, and of a paused container, which stays paused.
N=${N:-df$$}
t=$(date +%s); $DOCKER run -d --name $N-c -l of=$N busybox sleep 60 >/dev/null
$DOCKER commit --pause=false $N-c $N:a | wc -l; $DOCKER pause $N-c; $DOCKER commit $N-c $N:b | wc -l; $DOCKER inspect -f '{{.State.Status}}' $N-c; $DOCKER unpause $N-c
$DOCKER events --since $t --until $(date +%s.%N) --filter container=$N-c --format '{{.Action}}' | grep -E 'pause|commit'
$DOCKER rm -f $N-c >/dev/null; $DOCKER rmi $N:a $N:b | wc -l
