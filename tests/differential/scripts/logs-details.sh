N=${N:-df$$}
$DOCKER run --name $N-l --label team=blue --label zoo=1 -e FOO=bar --log-opt labels=team --log-opt env=FOO busybox sh -c 'echo a; echo b' >/dev/null; $DOCKER logs --details $N-l; $DOCKER rm $N-l
$DOCKER run --name $N-l --label a.b=x,y -e 'FOO=b c' --log-opt labels-regex='^a' --log-opt env-regex=FO+ --log-opt tag='{{.Name}}/x' busybox echo a >/dev/null; $DOCKER logs --details $N-l; $DOCKER rm $N-l
