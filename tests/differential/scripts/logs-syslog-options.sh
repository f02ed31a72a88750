N=${N:-df$$}
s() { $DOCKER run --name $N-l --log-driver syslog "$@" busybox true 2>&1; echo $?; $DOCKER rm -f $N-l >/dev/null 2>&1; }
for a in tcp://127.0.0.1:1 tcp+tls://127.0.0.1:1 unix:///nowhere foo://x udp unix:///etc/passwd udp://127.0.0.1:99999 tcp://127.0.0.1 'udp://[::1'; do s --log-opt syslog-address=$a; done
A='--log-opt syslog-address=udp://127.0.0.1:9'
s $A --log-opt syslog-facility=x; s $A --log-opt syslog-facility=24; s $A --log-opt syslog-facility=local7; s $A --log-opt syslog-format=x; s $A --log-opt syslog-format=rfc5424; s $A --log-opt tag='{{.Bad}}'; s $A --log-opt labels-regex='('
s --log-opt syslog-address=tcp+tls://127.0.0.1:1 --log-opt syslog-tls-ca-cert=/nowhere; s --log-opt syslog-address=tcp+tls://127.0.0.1:1 --log-opt syslog-tls-cert=/nowhere; true
