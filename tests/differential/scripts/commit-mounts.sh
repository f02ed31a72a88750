# Files of volumes, binds and tmpfs are in no image; their places are.
N=${N:-df$$}
d=$(mktemp -d); echo secret > $d/s; $DOCKER run --name $N -v /vol -v $N-v:/named -v $d:/bind -v $d/s:/file --tmpfs /tmp2 busybox sh -c 'echo x > /vol/x; echo x > /named/x; echo x > /tmp2/x; echo in > /in'
$DOCKER commit $N $N:m >/dev/null; $DOCKER image inspect -f '{{json .Config.Volumes}}' $N:m; $DOCKER create --name $N-2 $N:m true >/dev/null; $DOCKER export $N-2 | tar tf - | grep -E '^(vol|named|bind|file|tmp2|in)'
$DOCKER rm -v $N $N-2 >/dev/null; $DOCKER volume rm $N-v; $DOCKER rmi $N:m | wc -l; rm -r $d
