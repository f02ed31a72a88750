N=${N:-df$$}
id=$($DOCKER create -v /data busybox); v=$($DOCKER inspect -f '{{(index .Mounts 0).Name}}' $id)
$DOCKER inspect -f '{{range .Mounts}}{{.Type}} {{.Destination}} {{.Driver}} {{.Mode}} {{.RW}} {{.Propagation}}{{end}}' $id
$DOCKER volume inspect -f '{{json .Labels}} {{.Driver}}' $v; $DOCKER rm $id >/dev/null; $DOCKER volume ls -q -f name=$v; $DOCKER volume rm $v
id=$($DOCKER create -v /data busybox); v=$($DOCKER inspect -f '{{(index .Mounts 0).Name}}' $id); $DOCKER rm -v $id; $DOCKER volume ls -q -f name=$v
