N=${N:-df$$}
exec 2>&1
p=$((20000 + $$ % 20000))
$DOCKER run -d --name $N-1 -p 127.0.0.1:$p:80 -p 127.0.0.1:$p:80/udp -p 127.0.0.1:$((p + 1)):8080 -p 127.0.0.1:$((p + 2)):8080 --expose 443 busybox sleep 100 >/dev/null
mask() { sed "s/:$p\$/:P0/; s/:$((p + 1))\$/:P1/; s/:$((p + 2))\$/:P2/"; }
$DOCKER port $N-1 | mask
for port in 80 80/tcp 80/udp 80/TCP 8080 443 81 foo 80-81 0 70000 80/foo 080 /tcp 80/; do $DOCKER port $N-1 $port 2>&1 | mask; done
$DOCKER port $N-1 81; echo $?
$DOCKER port; echo $?
$DOCKER port $N-1 80 81; echo $?
$DOCKER port nosuch-$N; echo $?
$DOCKER ps --filter name=$N-1 --format '{{.Ports}}' | sed "s/$p/P0/g; s/$((p + 1))/P1/g; s/$((p + 2))/P2/g"
$DOCKER stop -t 0 $N-1 >/dev/null
$DOCKER port $N-1; echo $?
$DOCKER port $N-1 80; echo $?
$DOCKER rm $N-1
