N=${N:-df$$}
s() { $DOCKER run --name $N-l "$@" busybox true 2>&1; echo $?; $DOCKER rm -f $N-l >/dev/null 2>&1; }
s --log-opt max-size=x; s --log-opt max-size=0; s --log-opt max-file=0; s --log-opt max-file=2; s --log-opt compress=true; s --log-opt max-size=1m --log-opt compress=x; s --log-driver local --log-opt max-size=-1; s --log-driver local --log-opt max-file=1; s --log-opt tag='{{.Bad}}'; s --log-opt labels-regex='('; true
