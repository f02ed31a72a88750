# Each instruction that --change takes.
N=${N:-df$$}
$DOCKER create --name $N -e OLD=1 -l l=1 busybox true >/dev/null
c() { $DOCKER commit "$@" $N $N:c >/dev/null && $DOCKER image inspect $N:c | jq -cS '.[0].Config' && $DOCKER rmi -f $N:c >/dev/null; }
c -c 'CMD ["a","b"]'; c -c 'CMD a b'; c -c 'CMD []'; c -c 'ENTRYPOINT ["e"]'; c -c 'ENTRYPOINT e f'; c -c 'ENTRYPOINT ["e"]' -c 'CMD ["x"]'; c -c 'CMD ["x"]' -c 'ENTRYPOINT ["e"]'
c -c 'ENV A=1 B="2 3"'; c -c 'ENV A $OLD'; c -c 'ENV OLD=2'; c -c 'EXPOSE 80 90/udp'; c -c 'VOLUME /a /b'; c -c 'VOLUME ["/c d"]'; c -c 'USER u:g'; c -c 'WORKDIR rel'; c -c 'WORKDIR /a' -c 'WORKDIR b'
c -c 'ONBUILD RUN x'; c -c 'HEALTHCHECK NONE'; c -c 'HEALTHCHECK --interval=3s CMD true'; c -c 'STOPSIGNAL SIGUSR1'; c -c 'LABEL l=2 m="n o"'; c -c 'cmd ["low"]'
$DOCKER rm $N >/dev/null
