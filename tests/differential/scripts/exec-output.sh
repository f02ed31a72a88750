N=${N:-df$$}
$DOCKER run -d --name $N-e busybox sleep 100 >/dev/null; $DOCKER exec $N-e echo hi; $DOCKER exec -e A=b -w /tmp -u 1:1 $N-e sh -c "echo \$A; pwd; id"; $DOCKER rm -f $N-e
