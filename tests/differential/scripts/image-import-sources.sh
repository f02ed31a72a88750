# Import from files, URLs and what is neither; changes and messages.
N=${N:-df$$}
d=$(mktemp -d); cd $d; echo $N > f; tar -cf t f; i() { $DOCKER import "$@" 2>&1 | sed 's/^sha256:.*/ID/'; }
u=$($DOCKER import t); $DOCKER rmi $u; i t $N:1; i nosuch $N:2; i http://127.0.0.1:1/t $N:3; i ftp://127.0.0.1/t $N:3; i 127.0.0.1:1/t $N:3; i t UPPER; i t $N@sha256:$(printf %064d 1); i -c 'FROM x' t $N:4; i -c 'NOSUCH x' t $N:4; i -c 'RUN x' t; i -c 'LABEL a=b c' t
i -c 'ENV A=b C=d' -c 'EXPOSE 80' -c 'USER me' -c 'WORKDIR /w' -c 'VOLUME /v' -c 'ENTRYPOINT ["e"]' -c 'STOPSIGNAL 9' -c 'ONBUILD RUN x' -c 'HEALTHCHECK NONE' -m 'a message' t $N:5; $DOCKER image inspect -f '{{json .Config.Env}} {{json .Config.ExposedPorts}} {{json .Config.Healthcheck}} {{.Config.User}} {{.Config.OnBuild}} {{.Comment}}' $N:5; $DOCKER history --format '{{.CreatedBy}} {{.Comment}} {{.Size}}' $N:5
for z in gzip zstd; do $z -kqc t > $z; i $z $N:$z; $DOCKER image inspect -f '{{.RootFS.Layers}}' $N:$z; done
$DOCKER images --format '{{.Tag}}' $N | sort; for x in $($DOCKER images --format '{{.Tag}}' $N); do $DOCKER rmi $N:$x; done | grep -c Untagged; rm -r $d
