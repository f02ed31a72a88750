# Kinds that changed, folders emptied, attributes alone, and what is as before.
N=${N:-df$$}
$DOCKER run --name $N-a busybox sh -c 'mkdir -p /d1/sub /d2/x /d3/y; touch /d1/sub/f /d2/x/y /file1 /file2 /h1 /d3/y/z /gone; ln /h1 /h2; echo abc > /keep; ln -s /keep /lnk'; $DOCKER commit $N-a $N:b >/dev/null
$DOCKER run --name $N $N:b sh -c 'rm -rf /d1; echo f > /d1; rm /file1; mkdir /file1; touch /file1/in; rm -rf /d2; mkdir /d2; touch /d2/new; chmod 600 /file2; echo x >> /h1; rm /lnk; ln -s /other /lnk; rm /gone; mkdir /e; rmdir /e; chown 5:5 /tmp; mkdir -p /home/q; rm -r /home/q; cp /bin/busybox /bb; rm /bb; rm -r /d3/y; chmod 700 /d3'
$DOCKER diff $N | sort; $DOCKER rm $N $N-a >/dev/null; $DOCKER rmi $N:b | wc -l
