N=${N:-df$$}
$DOCKER image inspect -f "{{.Os}} {{.Architecture}} {{json .Config.Cmd}} {{len .RootFS.Layers}}" busybox; $DOCKER image inspect nosuch-$N; echo $?
