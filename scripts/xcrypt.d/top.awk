# Prints the report of `xcrypt top` from two snapshots:
#
#	at SECONDS
#	volume NAME STATUS-WORD...
#	sampled:N
#	read|write wait|cipher|device N SUM START:COUNT...
#
# A device of several segments has several entries.

$1 == "at" {
	snapshot++
	at[snapshot] = $2
	next
}

$1 == "volume" {
	name = $2
	if (snapshot == 2 && !(name in shown)) {
		shown[name] = 1
		order[++volumes] = name
	}
	known[snapshot, name] = 1
	for (i = 3; i <= NF; i++)
		if ($i ~ /^(read|write):[0-9]+\/[0-9]+$/) {
			split($i, word, "[:/]")
			count(name SUBSEP word[1] SUBSEP "bios", word[2])
			count(name SUBSEP word[1] SUBSEP "sectors", word[3])
		}
	next
}

$1 == "read" || $1 == "write" {
	count(name SUBSEP $2, $3)
	count(name SUBSEP $2 SUBSEP "sum", $4)
	for (i = 5; i <= NF; i++) {
		split($i, word, ":")
		count(name SUBSEP $2 SUBSEP word[1], word[2])
		starts[word[1]] = 1
	}
}

END {
	phases = split("wait cipher device", phase)
	sort_starts()
	width = 8
	for (v = 1; v <= volumes; v++)
		if (length(order[v]) > width)
			width = length(order[v])

	name_format = "%-" width "s"
	printf name_format " %17s %17s", "", "read", "write"
	for (p = 1; p <= phases; p++)
		printf " %16s", phase[p]
	printf "\n" name_format, "VOLUME"
	printf " %8s %8s %8s %8s", "MB/s", "IOPS", "MB/s", "IOPS"
	for (p = 1; p <= phases; p++)
		printf " %4s %5s %5s", "%", "p50", "p99"
	print ""
	if (!volumes)
		print "(no volume)"
	for (v = 1; v <= volumes; v++)
		volume(order[v])
}

function count(key, n)
{
	total[snapshot, key] += n
}

function difference(key)
{
	return total[2, key] - total[1, key]
}

function volume(name,	seconds, sum, p, n)
{
	seconds = at[2] - at[1]
	printf name_format, name
	if (is_new(name) || seconds <= 0) {
		print " (new)"
		return
	}
	rates(name SUBSEP "read", seconds)
	rates(name SUBSEP "write", seconds)

	sum = 0
	for (p = 1; p <= phases; p++)
		sum += difference(name SUBSEP phase[p] SUBSEP "sum")
	for (p = 1; p <= phases; p++) {
		n = difference(name SUBSEP phase[p])
		if (!n || !sum) {
			printf " %4s %5s %5s", sum ? "0" : "-", "-", "-"
			continue
		}
		printf " %4.0f", 100 * difference(name SUBSEP phase[p] SUBSEP "sum") / sum
		printf " %5s %5s", duration(quantile(name, phase[p], n, 0.5)),
			duration(quantile(name, phase[p], n, 0.99))
	}
	print ""
}

# No previous snapshot, or its counters were reset.
function is_new(name)
{
	return !((1, name) in known) ||
		difference(name SUBSEP "read" SUBSEP "bios") < 0 ||
		difference(name SUBSEP "write" SUBSEP "bios") < 0
}

function rates(key, seconds)
{
	printf " %8.1f %8.0f",
		difference(key SUBSEP "sectors") * 512 / 1e6 / seconds,
		difference(key SUBSEP "bios") / seconds
}

# Sort the start times of all buckets.
function sort_starts(	s, i)
{
	buckets = 0
	for (s in starts) {
		for (i = buckets++; i > 0 && start[i] + 0 > s + 0; i--)
			start[i + 1] = start[i]
		start[i + 1] = s
	}
}

# The end of a bucket, half an octave after its start.
function bucket_end(from,	octave)
{
	if (from + 0 < 2)
		return from + 1
	for (octave = 2; octave * 2 <= from + 0; octave *= 2)
		;
	return from + octave / 2
}

# In nanoseconds, interpolated within its bucket.
function quantile(name, phase, n, q,	i, c, smaller)
{
	smaller = 0
	for (i = 1; i <= buckets; i++) {
		c = difference(name SUBSEP phase SUBSEP start[i])
		if (c && smaller + c >= n * q)
			return start[i] + (bucket_end(start[i]) - start[i]) * (n * q - smaller) / c
		smaller += c
	}
	return start[buckets] + 0
}

# duration(NS): format in at most five characters
function duration(ns,	unit, units)
{
	units = split("ns us ms s", unit_names, " ")
	for (unit = 1; ns >= 999.5 && unit < units; unit++)
		ns /= 1000
	return sprintf(ns < 9.95 && unit > 1 ? "%.1f%s" : "%.0f%s", ns, unit_names[unit])
}
