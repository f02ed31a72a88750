# Images of stopped and running containers: by name, by id, by force, and what is left of them.
N=${N:-df$$}
d=$(mktemp -d); $DOCKER save -o $d/s busybox; tar xOf $d/s $(tar xOf $d/s manifest.json | sed 's/.*"Layers":\["\([^"]*\)".*/\1/') > $d/t
a=$($DOCKER import -c 'CMD ["sleep","60"]' -c "LABEL n=$N" $d/t $N:a); $DOCKER tag $N:a $N:b; $DOCKER tag $N:a $N/other:a
c=$($DOCKER create --name $N $N:a)
$DOCKER rmi $a; $DOCKER rmi $N/other:a; $DOCKER rmi $N:b; $DOCKER rmi $N:a; echo $?; $DOCKER start $N; $DOCKER rmi $a; $DOCKER rmi -f $a; $DOCKER rmi $N:a; $DOCKER rmi -f $N:a; echo $?
$DOCKER ps -a --filter name=$N --format '{{.State}}'; $DOCKER inspect -f '{{.Config.Image}}' $N; $DOCKER images -q --no-trunc --filter dangling=true | grep -c $a
$DOCKER image prune -f --filter label=n=$N; $DOCKER rm -f $N; $DOCKER rmi $a; $DOCKER rmi $a; echo $?
a=$($DOCKER import -c 'CMD ["true"]' -c "LABEL x=$N" $d/t $N:x); $DOCKER create --name $N $N:x >/dev/null; $DOCKER rmi -f $N:x; $DOCKER start $N; $DOCKER rm -f $N
$DOCKER rmi $a; rm -r $d
