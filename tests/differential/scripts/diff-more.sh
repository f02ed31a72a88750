# Renamed folders, devices, owners and links.
N=${N:-df$$}
$DOCKER run --name $N busybox sh -c 'mv /home /house; mknod /dev2 b 7 9; chown 1 /bin/busybox; ln /bin/busybox /hard; touch -d @5 /var; cp -p /bin/busybox /bin/copy; mv /bin/copy /bin/busybox2; : > /etc/group'; $DOCKER diff $N | sort; $DOCKER rm $N >/dev/null
