N=${N:-df$$}
A='--log-driver gelf --log-opt gelf-address=udp://203.0.113.1:12201'
$DOCKER run --name $N-l $A --label team=blue --log-opt labels=team --log-opt tag=x busybox echo a >/dev/null; $DOCKER logs $N-l; $DOCKER logs --details -n 1 $N-l; $DOCKER inspect -f '[{{.LogPath}}] {{json .HostConfig.LogConfig}}' $N-l; $DOCKER rm $N-l
$DOCKER run --name $N-l $A --log-opt cache-disabled=true busybox echo a; $DOCKER logs $N-l; echo $?; $DOCKER rm $N-l
