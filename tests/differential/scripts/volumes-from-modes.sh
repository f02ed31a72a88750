N=${N:-df$$}
$DOCKER create --name $N-s -v $N-v:/a -v /tmp:/b:ro -v /anon --tmpfs /t busybox >/dev/null
for m in "" :ro :rw :z :ro,z :bogus; do echo "-- $m"; $DOCKER run --rm --volumes-from $N-s$m busybox sh -c 'for d in /a /b /anon; do touch $d/'$N' 2>/dev/null && echo $d written; done; rm -f /a/'$N' /anon/'$N'; test -d /t || echo no tmpfs'; echo $?; done
$DOCKER create --name $N-t --volumes-from $N-s:ro busybox >/dev/null; $DOCKER inspect -f '{{range .Mounts}}{{.Type}} {{.Destination}} [{{.Mode}}] {{.RW}} [{{.Propagation}}]{{println}}{{end}}' $N-t | sort
$DOCKER run --rm --volumes-from $N-none busybox true; echo $?
$DOCKER rm -v $N-t $N-s >/dev/null; $DOCKER volume rm $N-v
