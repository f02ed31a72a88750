N=${N:-df$$}
$DOCKER create --name $N-i busybox >/dev/null; $DOCKER inspect -f "{{.Foo}}" $N-i; $DOCKER inspect -f "{{.State.Foo}}" $N-i; $DOCKER inspect -f "{{.State" $N-i; $DOCKER inspect -f "{{nofunc 1}}" $N-i; $DOCKER rm $N-i
