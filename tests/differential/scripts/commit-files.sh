# Whiteouts, opaque folders, kinds that changed, links and attributes come out of the committed image as they went in.
N=${N:-df$$}
$DOCKER run --name $N-a busybox sh -c 'mkdir -p /d1/sub /d2/x /keep; touch /d1/sub/f /d2/x/y /file1 /h0; echo abc > /k'; $DOCKER commit $N-a $N:base >/dev/null
$DOCKER run --name $N-b $N:base sh -c 'umask 022; rm -rf /d1; echo f > /d1; rm /file1; mkdir /file1; echo i > /file1/in; rm -rf /d2; mkdir /d2; touch /d2/new; rm /h0; echo 1 > /h1; ln /h1 /h2; ln -s h1 /l; mkfifo /p; mknod /n c 1 3; chmod 4711 /k; chown 3000000000:4000000000 /h1; truncate -s 100M /sparse; touch "/ü ñ"; touch -d @1000 /keep; mkdir /sticky; chmod 1777 /sticky'; $DOCKER commit $N-b $N:top >/dev/null
$DOCKER run --rm $N:top sh -c 'for f in /d1 /file1 /file1/in /d2 /h0 /h1 /h2 /l /p /n /k /sparse "/ü ñ" /keep /sticky; do stat -c "%n %f %h %u:%g %s %t,%T" "$f" 2>&1; done; ls -a /d2 /file1; cat /d1; stat -c %Y /keep; test /h1 -ef /h2 && echo linked; readlink /l; du -k /sparse | cut -f1'
$DOCKER save $N:top | tar xO manifest.json | tr ',' '\n' | grep -c blobs
$DOCKER rm $N-a $N-b >/dev/null; $DOCKER rmi $N:top $N:base | wc -l
