#!/bin/sh
# A Slurm of two nodes with two processors each on this machine, for tests.
#
#   cluster.sh up FOLDER     writes FOLDER/slurm.conf and starts it, as root
#   cluster.sh down FOLDER   ends every process of it
#
# No systemd, no cgroups, no accounting; all listeners on 127.0.0.1.
set -eu
PATH=$PATH:/usr/sbin:/sbin
folder=$2
export SLURM_CONF=$folder/slurm.conf

# Until the condition holds, for at most half a minute.
await() {
    for _ in $(seq 150); do
        if eval "$1"; then return 0; fi
        sleep 0.2
    done
    echo "cluster.sh: in vain: $1" >&2
    return 1
}

case $1 in
up)
    mkdir -p "$folder/munge" "$folder/state" "$folder/log" "$folder/run" \
        "$folder/spool/n0" "$folder/spool/n1"
    chmod 700 "$folder/state" "$folder/spool"
    chmod 755 "$folder" "$folder/munge"
    (umask 077; head -c 1024 /dev/urandom >"$folder/munge/key")
    munged --key-file="$folder/munge/key" --socket="$folder/munge/sock" \
        --pid-file="$folder/munge/pid" --log-file="$folder/munge/log" \
        --seed-file="$folder/munge/seed" --num-threads=2
    # Three ports in a row, of a range that the system gives to nobody.
    port=$((20000 + $$ % 3000 * 4))
    cat >"$SLURM_CONF" <<EOF
ClusterName=test
SlurmctldHost=localhost(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge/sock
CredType=cred/munge
SlurmctldPort=$port
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool/%n
SlurmctldPidFile=$folder/run/ctld.pid
SlurmdPidFile=$folder/run/slurmd.%n.pid
SlurmctldLogFile=$folder/log/ctld.log
SlurmdLogFile=$folder/log/slurmd.%n.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
MpiDefault=none
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
AccountingStorageType=accounting_storage/none
JobRequeue=1
ReturnToService=2
SlurmdTimeout=10
SlurmctldTimeout=10
InactiveLimit=0
KillWait=3
MinJobAge=300
MaxArraySize=6
NodeName=n[0-1] NodeHostname=localhost NodeAddr=127.0.0.1 Port=[$((port + 1))-$((port + 2))] CPUs=2 RealMemory=1000 State=UNKNOWN
PartitionName=main Nodes=n[0-1] Default=YES MaxTime=INFINITE State=UP
EOF
    slurmctld -f "$SLURM_CONF"
    for node in n0 n1; do slurmd -f "$SLURM_CONF" -N $node; done
    await '[ "$(timeout 5 sinfo -h -o %T 2>/dev/null)" = idle ]'
    ;;
down)
    for file in "$folder"/run/slurmd.*.pid "$folder/run/ctld.pid" "$folder/munge/pid"; do
        if [ -s "$file" ]; then kill "$(cat "$file")" 2>/dev/null || true; fi
    done
    ;;
*)
    echo 'cluster.sh up|down FOLDER' >&2
    exit 2
    ;;
esac
