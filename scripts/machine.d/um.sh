# shellcheck shell=bash
# A user-mode Linux as the machine, for scripts/machine.
#
# Its root file system is the host's on hostfs, mounted read-only; disks are ubd files;
# the command's output goes through two serial lines, and the console, with the
# kernel's log, to a file.

machine_start()
{
	local words i file logical

	[ -z "$net" ] || cannot "-n: not supported by user-mode Linux (use -k 6.1)"
	[ -z "$monitor" ] || cannot "--monitor: not supported by user-mode Linux (use -k 6.1)"
	words=(seccomp=on "ncpus=$cpus" "mem=${memory}M" "umid=${run##*/}" "uml_dir=$run/uml"
		root=none rootfstype=hostfs rootflags=/ ro
		init="$parts/init-um" "machine_run=$run/out"
		con=null loglevel=7 log_buf_len=4M panic=-1
		# A loaded host makes a machine slow, not stalled.
		rcupdate.rcu_cpu_stall_timeout=120
		# Grace periods: each dmsetup call waits for several, at HZ=100.
		rcupdate.rcu_expedited=1 rcutree.jiffies_till_first_fqs=0
		rcutree.jiffies_till_next_fqs=1)
	# shellcheck disable=SC2206 # it is a list of words
	words+=($append)

	for i in "${!disks[@]}"; do
		disk_file "${disks[$i]}" "$i"
		words+=("ubd$i=$file")
		echo "$logical" >"$run/out/logical$i"
	done
	if [ -n "$interactive" ]; then
		exec 5<&0 6>&1
		words+=(ssl=null "con0=null,fd:7" "ssl0=fd:5,fd:6")
	else
		words+=("con0=null,fd:7" ssl=null "ssl0=null,fd:8" "ssl1=null,fd:9")
	fi

	mkdir "$run/uml"
	exec 7>>"$run/kernel.log"
	# Its memory is a file: put that on a tmpfs.
	TMPDIR=/dev/shm start timeout --foreground -s KILL "$timeout" \
		setpriv --pdeathsig KILL "$image" "${words[@]}" >&7 2>&1
	machine=${pids[-1]}
	exec 7>&-
}
