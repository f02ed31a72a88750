N=${N:-df$$}
d=$(mktemp -d); echo x > $d/f; tar -C $d -c f | $DOCKER import -c "CMD [\"a\"]" -m note - $N:imp; $DOCKER image inspect -f "{{json .Config.Cmd}} {{.Comment}}" $N:imp; $DOCKER history --format "{{.Comment}}" $N:imp; $DOCKER rmi $N:imp | wc -l; rm -r $d
