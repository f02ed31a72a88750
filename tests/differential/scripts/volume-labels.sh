N=${N:-df$$}
$DOCKER volume create --label a=b $N-v; $DOCKER volume inspect -f "{{json .Labels}} {{.Driver}} {{.Scope}}" $N-v; $DOCKER volume ls -f label=a=b -f name=$N --format "{{.Name}} {{.Labels}}"; $DOCKER volume rm $N-v; $DOCKER volume create --driver nosuch $N-x; echo $?
