N=${N:-df$$}
$DOCKER create --name $N-i -e A=1 --label x.y=z -p 80 busybox sh -c ls >/dev/null; $DOCKER inspect -f "{{json .Config.Env}} {{index .Config.Labels \"x.y\"}} {{.HostConfig.PortBindings}} {{range \$k, \$v := .Config.ExposedPorts}}{{\$k}}{{end}} {{join .Config.Cmd \",\"}} {{len .Name | printf \"%03d\" | len}} {{if .State.Running}}yes{{else}}no{{end}}" $N-i; $DOCKER rm $N-i
