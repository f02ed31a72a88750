N=${N:-df$$}
$DOCKER run --rm --mount type=image,src=busybox,dst=/d busybox sh -c 'ls /d | head -3; touch /d/x 2>&1; grep -c " /d overlay ro" /proc/mounts'; echo $?
$DOCKER run --rm --mount type=image,src=busybox,dst=/d,image-subpath=bin busybox sh -c 'test -x /d/ls && echo there'
$DOCKER run --rm --mount type=image,src=busybox,dst=/d,image-subpath=etc/passwd busybox sh -c 'test -f /d && echo file'
$DOCKER create --name $N-c --mount type=image,src=busybox,dst=/d,image-subpath=bin busybox >/dev/null
$DOCKER inspect -f '{{range .Mounts}}{{.Type}} {{.Name}} {{.Destination}} {{.Mode}} {{.RW}} {{.Propagation}}{{end}} {{json .HostConfig.Mounts}}' $N-c; $DOCKER rm $N-c
