N=${N:-df$$}
for m in ro rw z Z ro,z nocopy rprivate rslave bogus ro,rw; do $DOCKER create --name $N-c -v $N-v:/d:$m busybox >/dev/null; echo "$m $?"; $DOCKER inspect -f '{{range .Mounts}}[{{.Mode}}] {{.RW}} [{{.Propagation}}]{{end}}' $N-c; $DOCKER rm -f $N-c >/dev/null 2>&1; done
$DOCKER volume rm -f $N-v
