N=${N:-df$$}
$DOCKER run --name $N-l busybox sh -c 'head -c 70000 /dev/zero | tr "\0" a; echo; echo; head -c 16384 /dev/zero | tr "\0" b; echo; echo c; printf end' >/dev/null; $DOCKER logs $N-l | md5sum; $DOCKER logs --tail 2 $N-l | od -c | head; $DOCKER rm $N-l
