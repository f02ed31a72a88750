N=${N:-df$$}
$DOCKER create --name $N-b busybox >/dev/null; $DOCKER inspect -f "{{.State.Status}} {{.State.Running}} {{.State.ExitCode}} {{.Name}} {{.Path}} {{.Args}}" $N-b; $DOCKER rm $N-b
