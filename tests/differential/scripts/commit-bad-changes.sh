# Changes that are refused, with a text.
N=${N:-df$$}
$DOCKER create --name $N busybox true >/dev/null
for c in 'RUN x' 'FROM x' 'ADD a b' 'COPY a b' 'ARG a' 'SHELL ["a"]' 'MAINTAINER x' 'BOGUS' 'ENV' 'ENV A' 'LABEL a' 'LABEL =b' 'EXPOSE x' 'EXPOSE' 'STOPSIGNAL BAD' 'STOPSIGNAL' 'USER' 'WORKDIR' 'VOLUME' 'ONBUILD FROM x' 'ONBUILD ONBUILD RUN x' '# comment'; do $DOCKER commit -c "$c" $N $N:c; echo $?; done
$DOCKER images -q $N | wc -l; $DOCKER rm $N >/dev/null
