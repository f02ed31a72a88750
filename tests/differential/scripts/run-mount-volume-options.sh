N=${N:-df$$}
$DOCKER run --rm --mount type=volume,src=$N-v,dst=/d,volume-driver=local,volume-opt=type=tmpfs,volume-opt=device=tmpfs,volume-opt=o=size=3m,volume-label=a=b busybox sh -c 'grep " /d " /proc/mounts'
$DOCKER volume inspect -f '{{json .Options}} {{json .Labels}}' $N-v; $DOCKER volume rm $N-v
$DOCKER run --rm --mount type=volume,src=$N-v,dst=/d,volume-opt=bogus=1 busybox true; echo $?
$DOCKER run --rm --mount type=volume,src=$N-v,dst=/bin,volume-nocopy busybox true; echo $?; $DOCKER volume rm $N-v
$DOCKER run --rm --mount dst=/d busybox sh -c 'ls /d; touch /d/x'; echo $?
$DOCKER run --rm --mount type=volume,src=/abs,dst=/d busybox true; echo $?
