N=${N:-df$$}
p=$((20000 + $$ % 20000)); $DOCKER run -d --name $N-w -p 127.0.0.1:$p:80 busybox sleep 100 >/dev/null; $DOCKER port $N-w | sed s/:$p/:PORT/; $DOCKER port $N-w 80 | sed s/:$p/:PORT/; $DOCKER port $N-w 81; $DOCKER rm -f $N-w
