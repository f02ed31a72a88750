N=${N:-df$$}
i=0; $DOCKER run -d --name $N-h --health-cmd true --health-interval 200ms busybox sleep 100 >/dev/null; while [ $i -lt 30 ] && [ "$($DOCKER inspect -f "{{.State.Health.Status}}" $N-h)" != healthy ]; do sleep 0.2; i=$((i+1)); done; $DOCKER inspect -f "{{.State.Health.Status}} {{.State.Health.FailingStreak}}" $N-h; $DOCKER rm -f $N-h
