# The oldest archives: a folder for each layer with VERSION, json and layer.tar, and `repositories`.
N=${N:-df$$}
d=$(mktemp -d); mkdir $d/x; i=$(printf %064d 1); j=$(printf %064d 2); mkdir $d/a $d/a/$i $d/a/$j
for l in $i $j; do echo $l > $d/x/$l; tar --mtime=@0 -C $d/x -cf $d/a/$l/layer.tar $l; printf 1.0 > $d/a/$l/VERSION; done
printf '{"id":"%s","created":"2015-01-01T00:00:00Z","os":"linux","architecture":"amd64","docker_version":"1.9.1","container_config":{"Cmd":["/bin/sh","-c","first"]}}' $i > $d/a/$i/json
printf '{"id":"%s","parent":"%s","created":"2015-01-02T00:00:00Z","os":"linux","architecture":"amd64","docker_version":"1.9.1","author":"me","config":{"Cmd":["two"],"Env":["A=b"]}}' $j $i > $d/a/$j/json
printf '{"%s":{"1":"%s","2":"%s"}}' $N $j $i > $d/a/repositories; tar -C $d/a -cf $d/s .
$DOCKER load -i $d/s; echo $?; $DOCKER image inspect -f '{{.Config.Cmd}} {{.RootFS.Layers | len}}' $N:1; $DOCKER history -q $N:1 | wc -l; $DOCKER history --format "{{.CreatedBy}} {{.Size}}" $N:1; $DOCKER image inspect -f "{{.Id}}" $N:1 $N:2 | sed s/sha256:// | fold -w 8; $DOCKER rmi $N:1 $N:2; rm -r $d
