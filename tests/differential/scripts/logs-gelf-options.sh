N=${N:-df$$}
s() { $DOCKER run --name $N-l --log-driver gelf "$@" busybox true 2>&1; echo $?; $DOCKER rm -f $N-l >/dev/null 2>&1; }
s; for a in tcp://127.0.0.1:1 http://x udp://127.0.0.1 127.0.0.1:1 udp:// udp://127.0.0.1:99999; do s --log-opt gelf-address=$a; done
A='--log-opt gelf-address=udp://127.0.0.1:9 --log-opt'; T='--log-opt gelf-address=tcp://127.0.0.1:1 --log-opt'
for o in gelf-compression-type=x gelf-compression-type=zlib gelf-compression-level=10 gelf-compression-level=-1 gelf-tcp-max-reconnect=1 bogus=1 'env-regex=('; do s $A $o; done
for o in gelf-compression-type=gzip gelf-tcp-max-reconnect=x gelf-tcp-reconnect-delay=-1; do s $T $o; done; true
