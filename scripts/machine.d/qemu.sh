# shellcheck shell=bash
# A machine in QEMU, for scripts/machine.
#
# The root file system and the run's folder are on virtio-9p, the command's output goes
# through virtio-serial ports, the kernel's log through the serial line, disks are
# virtio.

# Use KVM only if the CPU has the flag: there are machines with /dev/kvm but without
# virtualisation, where the kernel hangs early.
accelerator()
{
	if [ -n "${XCRYPT_ACCEL:-}" ]; then
		echo "$XCRYPT_ACCEL"
	elif grep -qwE 'svm|vmx' /proc/cpuinfo && [ -w /dev/kvm ]; then
		echo kvm
	else
		echo tcg,thread=multi
	fi
}

# share TAG FOLDER READONLY: share a folder of this machine over 9p
share()
{
	qemu+=(-fsdev "local,id=$1,path=${2//,/,,},security_model=none,multidevs=remap,readonly=$3"
		-device "virtio-9p-pci,fsdev=$1,mount_tag=$1")
}

# port NAME: connect the guest's port to a pipe
port()
{
	qemu+=(-chardev "file,id=$1,path=$run/$1"
		-device "virtserialport,chardev=$1,name=$1")
}

# A network of two machines: datagrams between two sockets.  A lock per socket tells
# which of the two places is taken.
network()
{
	local folder=${TMPDIR:-/tmp}/xcrypt-net-${net%:*} me='' other lock each

	mkdir -p "$folder"
	case $net in *:[12]) set -- "${net##*:}" ;; *) set -- 1 2 ;; esac
	for each; do
		exec {lock}>>"$folder/lock$each"
		flock -n "$lock" && { me=$each; break; }
		exec {lock}>&-
	done
	[ -n "$me" ] || cannot "-n $net: the network already has two machines"
	other=$((3 - me))
	rm -f "$folder/socket$me"

	qemu+=(-netdev "dgram,id=net,local.type=unix,local.path=$folder/socket$me,remote.type=unix,remote.path=$folder/socket$other"
		-device "virtio-net-pci,netdev=net,mac=52:54:00:78:63:0$me,romfile=")
	quote XCRYPT_NET "10.77.0.$me 10.77.0.$other" >>"$run/out/settings"
}

machine_start()
{
	local initramfs i file logical
	local words="console=ttyS0 loglevel=7 panic=-1 oops=panic random.trust_cpu=on"

	# A loaded host makes an emulated machine slow, not stalled.
	words+=" rcupdate.rcu_cpu_stall_timeout=120 watchdog_thresh=60 no_timer_check tsc=reliable mitigations=off $append"
	initramfs=$("$parts/initramfs" "$modules" "$release") || cannot "creating the initramfs failed"

	qemu=(qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot
		-machine q35 -accel "$(accelerator)" -cpu max -smp "$cpus" -m "$memory"
		-kernel "$image" -initrd "$initramfs" -append "$words"
		-serial "file:$run/kernel.log"
		-device virtio-serial-pci)

	share root / on
	share run "$run/out" off
	for i in "${!shares[@]}"; do share "share$i" "${shares[$i]}" off; done
	for i in "${!disks[@]}"; do
		disk_file "${disks[$i]}" "$i"
		qemu+=(-drive "if=none,id=disk$i,file=${file//,/,,},format=raw,cache=unsafe,discard=unmap"
			-device "virtio-blk-pci,drive=disk$i,serial=disk$i,logical_block_size=$logical,physical_block_size=$logical")
	done
	[ -z "$net" ] || network
	[ -z "$monitor" ] || qemu+=(-qmp "unix:${monitor//,/,,},server=on,wait=off")
	if [ -n "$interactive" ]; then
		qemu+=(-chardev "stdio,id=tty,signal=off" -serial chardev:tty)
	else
		port stdout
		port stderr
	fi

	# --foreground gives an interactive QEMU the terminal; it has no children, so
	# there is no group to kill.
	start timeout --foreground -s KILL "$timeout" setpriv --pdeathsig KILL "${qemu[@]}"
	machine=${pids[-1]}
}
