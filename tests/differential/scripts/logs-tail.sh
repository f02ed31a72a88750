N=${N:-df$$}
$DOCKER run --name $N-l busybox seq 1 300 >/dev/null; for n in 0 1 7 299 300 301 all x -1 ''; do echo "tail $n"; $DOCKER logs --tail "$n" $N-l | head -n 8; done; $DOCKER rm $N-l
