N=${N:-df$$}
exec 2>&1
$DOCKER run --name $N-a --label $N -v $N-v:/v -v /anon busybox sh -c 'echo x > /v/x; echo y > /anon/y'
anon=$($DOCKER inspect -f '{{range .Mounts}}{{if ne .Name "'$N-v'"}}{{.Name}}{{end}}{{end}}' $N-a)
$DOCKER container prune -f --filter label=$N | sed 's/space: .*/space/'
$DOCKER volume inspect -f '{{.Name}}' $N-v $anon
$DOCKER volume rm $N-v $anon
