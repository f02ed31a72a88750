N=${N:-df$$}
$DOCKER run --rm --label a=b --name $N-l -d busybox sleep 100 >/dev/null; $DOCKER inspect -f '{{json .Config.Labels}}' $N-l; $DOCKER rm -f $N-l
