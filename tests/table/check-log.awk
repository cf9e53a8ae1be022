# Usage: awk -f check-log.awk LIST LOG
#
# LIST is the output of wrong-lines, LOG the kernel's log of loading each, with a line
# "try N." before each. Prints the lines whose error does not name the argument, or
# whose wrong value is not in a message of the module.

BEGIN { FS = "\t" }

NR == FNR {
	about[FNR - 1] = tolower($1)
	value[FNR - 1] = $2
	params[FNR - 1] = $3
	count = FNR
	next
}

match($0, /try [0-9]+\.$/) {
	n = substr($0, RSTART + 4, RLENGTH - 5)
	next
}

n != "" {
	all[n] = all[n] $0 "\n"
	if (match($0, /device-mapper: table: [0-9:]+: /)) {
		text = substr($0, RSTART + RLENGTH)
		# Device mapper itself reports a device that is too small
		if (sub(/^xcrypt: /, "", text) || about[n] == "too small")
			error[n] = error[n] text
	}
	if (match($0, /device-mapper: xcrypt: /))
		own[n] = own[n] substr($0, RSTART + RLENGTH) "\n"
}

END {
	for (i = 0; i < count; i++) {
		if (tolower(error[i]) !~ about[i])
			fault = "error does not say " about[i]
		else if (value[i] != "-" && !index(own[i], value[i]))
			fault = "log does not show " value[i]
		else
			continue
		print fault ": " params[i] "\n" all[i]
		bad++
	}
	print count " wrong lines, " bad + 0 " with a poor message"
	exit bad > 0
}
