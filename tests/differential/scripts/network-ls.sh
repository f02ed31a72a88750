N=${N:-df$$}
exec 2>&1
$DOCKER network ls --filter driver=null --format "{{.Name}} {{.Driver}} {{.Scope}}"; $DOCKER network ls --filter name=host; $DOCKER network inspect nosuch-$N; echo $?
