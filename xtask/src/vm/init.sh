#!/bin/busybox sh
# Process 1 of the virtual machine: prepares a minimal system, runs /command,
# says how it ended, and switches off. Neither tracefs nor bpffs is mounted:
# genome-trace must do without.
export PATH=/bin:/sbin:/usr/bin HOME=/root TERM=dumb NO_COLOR=1 LANG=C

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/shm /dev/pts /tmp
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /run
mount -t cgroup2 cgroup2 /sys/fs/cgroup
echo +memory >/sys/fs/cgroup/cgroup.subtree_control

mkdir -p /tmp/cores
echo '/tmp/cores/%e.%p' >/proc/sys/kernel/core_pattern
ulimit -c unlimited
ulimit -n 65536
hostname genome-trace-vm
ip link set lo up

# Emulation takes some fifty times as long for a program as a processor does,
# and time slices do not know: a process would be preempted inside a probe fifty
# times as often. Longer slices put that right (not on kernels before 5.13).
mount -t debugfs debugfs /sys/kernel/debug
slice=/sys/kernel/debug/sched/base_slice_ns
test -e $slice || slice=/sys/kernel/debug/sched/min_granularity_ns
test -e $slice && echo 100000000 >$slice
umount /sys/kernel/debug

echo GENOME-TRACE-VM-BEGIN
cd /root
# A child, so that the tests have a parent that is not process 1.
sh /command </dev/null
status=$?
echo
echo "GENOME-TRACE-VM-STATUS $status"
sync
poweroff -f
