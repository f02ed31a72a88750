# Created and stopped containers; an empty layer is none.
N=${N:-df$$}
$DOCKER create --name $N-c -l x=y busybox true >/dev/null; $DOCKER commit $N-c $N:e >/dev/null
$DOCKER image inspect -f '{{len .RootFS.Layers}} {{json .Config.Labels}} {{json .Config.Cmd}}' $N:e; $DOCKER history --format '{{.CreatedBy}}|{{.Size}}' $N:e
$DOCKER rm $N-c >/dev/null; $DOCKER run --name $N-c busybox sh -c 'echo one | tee /one; exit 3'; $DOCKER commit -m 'a note' $N-c $N:s >/dev/null; $DOCKER run --rm $N:s cat /one; echo $?
$DOCKER image inspect -f '{{len .RootFS.Layers}} {{.Comment}} {{json .Config.Cmd}}' $N:s; $DOCKER rm $N-c >/dev/null; $DOCKER rmi $N:e $N:s | wc -l
