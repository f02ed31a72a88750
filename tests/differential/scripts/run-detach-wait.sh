N=${N:-df$$}
$DOCKER run -d --name $N-d busybox sh -c "sleep 0.3; exit 5" >/dev/null; $DOCKER wait $N-d; $DOCKER rm $N-d
