# A running container is paused for its commit: events, config, history and parent of the image.
N=${N:-df$$}
t=$(date +%s); $DOCKER run -d --name $N-c -e A=b -l of=$N -w /w -v /vol --expose 80 busybox sh -c 'echo hi | tee /f; echo x | tee /vol/x; touch /done; sleep 60' >/dev/null
until $DOCKER exec $N-c test -e /done; do :; done
i=$($DOCKER commit -a "Me <a@b>" -m "msg" $N-c $N:t1)
$DOCKER image inspect -f '{{.Config.Env}} {{.Config.Cmd}} {{json .Config.Volumes}} {{json .Config.ExposedPorts}} {{.Config.WorkingDir}} {{json .Config.Labels}} {{.Author}} {{.Comment}} {{.Architecture}} {{.Os}} {{.RepoTags}} {{len .RootFS.Layers}}' $N:t1
test "$($DOCKER image inspect -f '{{.Parent}}' $N:t1)" = "$($DOCKER image inspect -f '{{.Id}}' busybox)" && echo parent
$DOCKER history --no-trunc --format '{{.CreatedBy}}|{{.Comment}}|{{.Size}}' $N:t1 | head -1
$DOCKER run --rm $N:t1 sh -c 'cat /f; ls /vol | wc -l; pwd; echo $A'
$DOCKER inspect -f '{{.State.Status}}' $N-c
$DOCKER events --since $t --until $(date +%s.%N) --filter label=of=$N --format '{{.Type}} {{.Action}} {{json .Actor.Attributes}}' | grep -E 'pause|commit|create|tag' | sed "s/$i/IMAGE/g" | grep -v '^container create'
$DOCKER rm -f -v $N-c >/dev/null; $DOCKER rmi $N:t1 | wc -l
